import { WorkflowError } from '../engine/error.ts';
import type { BinaryReference, Item } from '../engine/item.ts';

/** The file of an item under a property. Throws WorkflowError BinaryMissing, which names the files there are. */
export function binaryFrom(item: Item | undefined, name: string, itemIndex: number): BinaryReference {
  const file = item?.binary?.[name];
  if (file) return file;
  const present = Object.keys(item?.binary ?? {});
  const hint = present.length > 0 ? `It has ${present.map((key) => `'${key}'`).join(', ')}.` : 'It has no files.';
  throw new WorkflowError('BinaryMissing', `Item ${itemIndex} has no file '${name}'. ${hint}`, { itemIndex, nonRetryable: true });
}
