import type { Item } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';

/** What a trigger gives out: the items the execution was started with, or one empty item. */
export function startItems(context: NodeContext): Item[] {
  const items = context.input();
  return items.length > 0 ? [...items] : [{ json: {}, pairedItem: { item: 0 } }];
}
