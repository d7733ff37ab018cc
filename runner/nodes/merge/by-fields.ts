import type { Item } from '../../engine/item.ts';
import { getField } from '../dot-path.ts';
import { asText } from '../json-value.ts';
import { stableKey } from '../stable-key.ts';
import { combineEntries, entriesOf, loneEntry, type Entry } from './combine-items.ts';
import type { ClashHandling } from './clash.ts';

export type JoinMode = 'keepMatches' | 'keepNonMatches' | 'keepEverything' | 'enrichInput1' | 'enrichInput2';

export interface JoinRequest {
  fields: readonly { field1: string; field2: string }[];
  joinMode: JoinMode;
  outputDataFrom: 'both' | 'input1' | 'input2';
  /** Only the first match of an item counts. */
  firstMatch: boolean;
  /** Tolerate different types: "1" matches 1. */
  fuzzy: boolean;
  dots: boolean;
  clash: ClashHandling;
}

/** The join key of an item, or undefined when a field is missing: such items match nothing. */
export function joinKey(item: Item, fields: readonly string[], options: { fuzzy: boolean; dots: boolean }): string | undefined {
  const values = fields.map((field) => getField(item.json, field, options.dots));
  if (options.fuzzy) return stableKey(values.map(fuzzyValue));
  return values.includes(undefined) ? undefined : stableKey(values);
}

/** Empty values of any kind are equal; so are a value and its text. */
function fuzzyValue(value: unknown): unknown {
  if (value === undefined || value === null || value === '') return '';
  return typeof value === 'object' ? value : asText(value).trim().toLowerCase();
}

interface Matches {
  pairs: { entry: Entry; partners: Entry[] }[];
  alone: Entry[];
}

/** For each of `entries` its partners, in order. */
function matchesOf(entries: readonly Entry[], others: readonly Entry[], keys: readonly [KeyOf, KeyOf]): Matches {
  const byKey = new Map<string, Entry[]>();
  for (const other of others) {
    const key = keys[1](other.item);
    if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), other]);
  }
  const found: Matches = { pairs: [], alone: [] };
  for (const entry of entries) {
    const key = keys[0](entry.item);
    const partners = key === undefined ? undefined : byKey.get(key);
    if (partners) found.pairs.push({ entry, partners });
    else found.alone.push(entry);
  }
  return found;
}

type KeyOf = (item: Item) => string | undefined;

/** Joins two inputs by the values of fields. Matched items come first, then the ones without a match. */
export function joinByFields(first: readonly Item[], second: readonly Item[], request: JoinRequest): Item[] {
  const keys1: KeyOf = (item) => joinKey(item, request.fields.map(({ field1 }) => field1), request);
  const keys2: KeyOf = (item) => joinKey(item, request.fields.map(({ field2 }) => field2), request);
  const entries1 = entriesOf(first, 0);
  const entries2 = entriesOf(second, 1);
  const from1 = matchesOf(entries1, entries2, [keys1, keys2]);
  const from2 = matchesOf(entries2, entries1, [keys2, keys1]);
  const alone = (entries: readonly Entry[]): Item[] => entries.map((entry) => loneEntry(entry, request.clash));
  switch (request.joinMode) {
    case 'keepNonMatches': return nonMatches(from1, from2, request);
    case 'keepEverything': return [...combined(from1, request), ...alone(from1.alone), ...alone(from2.alone)];
    case 'enrichInput1': return [...combined(from1, request), ...alone(from1.alone)];
    case 'enrichInput2': return [...combined(from2, request), ...alone(from2.alone)];
    default: return matches(from1, from2, request);
  }
}

function combined({ pairs }: Matches, request: JoinRequest): Item[] {
  return pairs.flatMap(({ entry, partners }) =>
    (request.firstMatch ? partners.slice(0, 1) : partners).map((partner) => combineEntries([entry, partner], request.clash)));
}

function matches(from1: Matches, from2: Matches, request: JoinRequest): Item[] {
  const only = (found: Matches): Item[] => found.pairs.map(({ entry }) => loneEntry(entry, { ...request.clash, resolveClash: 'preferLast' }));
  if (request.outputDataFrom === 'input1') return only(from1);
  return request.outputDataFrom === 'input2' ? only(from2) : combined(from1, request);
}

function nonMatches(from1: Matches, from2: Matches, request: JoinRequest): Item[] {
  const plain = (entries: readonly Entry[]): Item[] => entries.map((entry) => loneEntry(entry, { ...request.clash, resolveClash: 'preferLast' }));
  if (request.outputDataFrom === 'input1') return plain(from1.alone);
  if (request.outputDataFrom === 'input2') return plain(from2.alone);
  const sourced = (entries: readonly Entry[], source: string): Item[] => plain(entries).map((item) => ({ ...item, json: { ...item.json, _source: source } }));
  return [...sourced(from1.alone, 'input1'), ...sourced(from2.alone, 'input2')];
}
