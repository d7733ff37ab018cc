import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeType } from '../../engine/node-type.ts';
import { deletePath, getField, keysOf, pathKeys, setPath } from '../dot-path.ts';
import { mapItems } from '../item-errors.ts';
import { asObject, asObjects, asText, isObject } from '../json-value.ts';

function rename(json: JsonObject, pair: JsonObject): void {
  const from = asText(pair.currentKey);
  const to = asText(pair.newKey);
  const value = getField(json, from);
  if (from === '' || to === '' || from === to || value === undefined) return;
  deletePath(json, Object.hasOwn(json, from) ? [from] : pathKeys(from));
  setPath(json, keysOf(to), value);
}

interface Replacement { pattern: RegExp; by: string; depth: number }

function replacementOf(raw: JsonObject): Replacement {
  const options = asObject(raw.options);
  try {
    return {
      pattern: new RegExp(asText(raw.searchRegex), options.caseInsensitive === true ? 'gi' : 'g'),
      by: asText(raw.replaceRegex), depth: Number(options.depth ?? -1),
    };
  } catch (cause) {
    throw new WorkflowError('InvalidPattern', `'${asText(raw.searchRegex)}' is not a regular expression. Correct the pattern.`, { parameter: 'additionalOptions', nonRetryable: true, cause });
  }
}

/** Renames keys at this level, and below while `depth` (-1: without end) allows. */
function renameByPattern(value: unknown, { pattern, by, depth }: Replacement): unknown {
  const below = (entry: unknown): unknown => (depth === 0 ? entry : renameByPattern(entry, { pattern, by, depth: depth - 1 }));
  if (Array.isArray(value)) return value.map(below);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.replace(pattern, by), below(entry)]));
}

/** Renames fields. */
export const renameKeysNode: NodeType = {
  type: 'renameKeys', displayName: 'Rename Keys', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Renames fields, one by one or by a regular expression.',
  parameters: [
    { name: 'keys', type: 'collection', description: '`{key: [{currentKey, newKey}]}`; names may be dotted paths.' },
    { name: 'additionalOptions', type: 'collection', default: {}, description: '`regexReplacement.replacements`: [{searchRegex, replaceRegex, options: {caseInsensitive, depth}}]; depth -1 is all levels, 0 the top level.' },
  ],
  execute: (context) => [mapItems(context, (item, index) => {
    let json: JsonObject = { ...item.json };
    for (const pair of asObjects(context.parameter('keys.key', index))) rename(json, pair);
    for (const raw of asObjects(context.parameter('additionalOptions.regexReplacement.replacements', index))) {
      json = asObject(renameByPattern(json, replacementOf(raw)));
    }
    return { ...item, json, pairedItem: { item: index } };
  })],
};
