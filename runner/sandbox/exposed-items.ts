import type { BinaryReference, Item } from '../engine/item.ts';
import { guardedFunction } from './fault.ts';
import { toPlain } from './plain-data.ts';

/** How sandboxed code gets items: expressions that only read get them as they are, everything else gets copies. */
export interface ItemExposure {
  item(item: Item | undefined): unknown;
  items(items: readonly Item[]): unknown;
  /** Any other data of the execution. */
  data(value: unknown): unknown;
}

const copyOf = guardedFunction(toPlain);

/** The items themselves. Only for code that cannot change them. */
export const asTheyAre: ItemExposure = {
  item: (item) => (item?.binary ? withBinaryDetails(item) : item),
  items: (items) => (items.some(({ binary }) => binary) ? items.map((item) => asTheyAre.item(item)) : items),
  data: (value) => value,
};

/** A new copy at each call. */
export const asCopies: ItemExposure = {
  item: (item) => item && copyOf(asTheyAre.item(item)),
  items: (items) => items.map((item) => asCopies.item(item)),
  data: copyOf,
};

/**
 * One copy per item for the life of this exposure, so that a change is seen wherever the item is read again. `onBinary` is told
 * of every file that becomes known.
 */
export function asOwnCopies(onBinary: (reference: BinaryReference) => void): ItemExposure {
  const copies = new WeakMap<Item, unknown>();
  const item = (original: Item | undefined): unknown => {
    if (!original) return undefined;
    const known = copies.get(original);
    if (known !== undefined) return known;
    Object.values(original.binary ?? {}).forEach(onBinary);
    const copy = asCopies.item(original);
    copies.set(original, copy);
    return copy;
  };
  return { item, items: (items) => items.map(item), data: copyOf };
}

function withBinaryDetails(item: Item): Item {
  const { binary } = item;
  return binary ? { ...item, binary: binaryDetails(binary) } : item;
}

/** Adds the fields that n8n documents and that follow from the others. */
function binaryDetails(binary: Record<string, BinaryReference>): Record<string, BinaryReference> {
  return Object.fromEntries(Object.entries(binary).map(([name, reference]) => [name, { ...reference, fileType: reference.mimeType.split('/')[0], fileSize: sizeText(reference.size) }]));
}

function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toPrecision(3)} kB` : `${(bytes / 1_000_000).toPrecision(3)} MB`;
}
