import type { Item } from './item.ts';

/** Values looked at per sampled item; larger items are taken to go on as they began. */
const MAX_VALUES = 500;

/** About how many bytes of memory these items take: exact enough to decide what to keep, cheap enough to ask always. */
export function estimateBytes(items: readonly Item[]): number {
  const { length } = items;
  if (length === 0) return 0;
  const sample = [...new Set([0, length >> 1, length - 1])];
  const total = sample.reduce((sum, index) => sum + itemBytes(items[index]), 0);
  return Math.round((total / sample.length) * length);
}

function itemBytes(item: Item | undefined): number {
  let bytes = 80;
  const open: unknown[] = [item?.json];
  for (let seen = 0; open.length > 0; seen += 1) {
    if (seen >= MAX_VALUES) return Math.round(bytes * (1 + open.length / seen));
    const value = open.pop();
    if (typeof value === 'string') {
      bytes += 16 + value.length;
    } else if (typeof value === 'object' && value !== null) {
      const children: unknown[] = Array.isArray(value) ? value : Object.values(value);
      bytes += 32 + 16 * children.length;
      // Of long lists only the beginning is looked at, and the rest taken to be alike.
      for (let index = 0; index < Math.min(children.length, MAX_VALUES); index += 1) open.push(children[index]);
      bytes += 16 * Math.max(0, children.length - MAX_VALUES);
    }
  }
  return bytes;
}
