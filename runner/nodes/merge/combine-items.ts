import type { Item, PairedItem } from '../../engine/item.ts';
import { combineObjects, withSuffix, type ClashHandling } from './clash.ts';

/** An item with the place it came from. */
export interface Entry { item: Item; input: number; index: number }

export const entriesOf = (items: readonly Item[], input: number): Entry[] => items.map((item, index) => ({ item, input, index }));

const pairOf = ({ input, index }: Entry): PairedItem => (input === 0 ? { item: index } : { item: index, input });

/** One item of one entry per input, with the files of all. */
export function combineEntries(entries: readonly Entry[], how: ClashHandling): Item {
  const parts = [];
  for (const { item, input } of entries) parts[input] = item.json;
  const combined: Item = { json: combineObjects(Array.from(parts), how), pairedItem: entries.map(pairOf) };
  const binary = Object.assign({}, ...entries.map(({ item }) => item.binary ?? {})) as NonNullable<Item['binary']>;
  if (Object.keys(binary).length > 0) combined.binary = binary;
  return combined;
}

/** An entry that found no partner. */
export function loneEntry(entry: Entry, how: ClashHandling): Item {
  const json = how.resolveClash === 'addSuffix' ? withSuffix(entry.item.json, entry.input + 1) : entry.item.json;
  return { ...entry.item, json, pairedItem: pairOf(entry) };
}
