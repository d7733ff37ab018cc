import type { Item } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { getField } from '../dot-path.ts';
import { textParameter } from '../parameter-value.ts';
import { stableKey } from '../stable-key.ts';
import { mergeObjects } from './clash.ts';

const PLAIN = { deep: false, overrideEmpty: false };

const merged = (first: Item | undefined, second: Item | undefined, index: number): Item => {
  const binary = { ...first?.binary, ...second?.binary };
  const item: Item = { json: mergeObjects([first?.json ?? {}, second?.json ?? {}], PLAIN), pairedItem: { item: index } };
  if (Object.keys(binary).length > 0) item.binary = binary;
  return item;
};

function byIndex(first: readonly Item[], second: readonly Item[], join: string): Item[] {
  const length = join === 'inner' ? Math.min(first.length, second.length) : join === 'outer' ? Math.max(first.length, second.length) : first.length;
  return Array.from({ length }, (_, index) => merged(first[index], second[index], index));
}

interface KeyRequest { property1: string; property2: string; overwrite: string }

/** Items of input 2 by the text of their key; a later one with the same key wins. */
function byKeyValue(items: readonly Item[], property: string): Map<string, Item> {
  const found = new Map<string, Item>();
  for (const item of items) {
    const value = getField(item.json, property);
    if (value !== undefined && value !== null) found.set(stableKey(value), item);
  }
  return found;
}

function byKey(first: readonly Item[], second: readonly Item[], request: KeyRequest): Item[] {
  const partners = byKeyValue(second, request.property2);
  return first.map((item, index) => {
    const partner = partners.get(stableKey(getField(item.json, request.property1)));
    if (!partner) return { ...item, pairedItem: { item: index } };
    const wins = Object.entries(partner.json).filter(([key]) => {
      const present = item.json[key];
      if (request.overwrite === 'undefined') return present === undefined;
      return request.overwrite !== 'blank' || present === undefined || present === null || present === '';
    });
    return merged(item, { ...partner, json: Object.fromEntries(wins) }, index);
  });
}

function keyMatches(first: readonly Item[], second: readonly Item[], request: KeyRequest & { keep: boolean }): Item[] {
  const partners = byKeyValue(second, request.property2);
  return first.flatMap((item, index) => {
    const has = partners.has(stableKey(getField(item.json, request.property1)));
    return has === request.keep ? [{ ...item, pairedItem: { item: index } }] : [];
  });
}

/** The modes of version 1. */
export function mergeLegacy(context: NodeContext): Item[] {
  const first = context.input(0);
  const second = context.input(1);
  const request: KeyRequest = {
    property1: textParameter(context, 'propertyName1', 0), property2: textParameter(context, 'propertyName2', 0),
    overwrite: textParameter(context, 'overwrite', 0, 'always'),
  };
  switch (textParameter(context, 'mode', 0, 'append')) {
    case 'mergeByIndex': return byIndex(first, second, textParameter(context, 'join', 0, 'left'));
    case 'mergeByKey': return byKey(first, second, request);
    case 'keepKeyMatches': return keyMatches(first, second, { ...request, keep: true });
    case 'removeKeyMatches': return keyMatches(first, second, { ...request, keep: false });
    case 'multiplex': return first.flatMap((item, index) => second.map((other) => merged(item, other, index)));
    case 'passThrough': {
      const input = context.parameter('output', 0, 'input1') === 'input2' ? 1 : 0;
      return context.input(input).map((item, index) => ({ ...item, pairedItem: { item: index, input } }));
    }
    case 'wait': return [{ json: {} }];
    default: return [...first, ...second];
  }
}
