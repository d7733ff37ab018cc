import type { Item } from '../runner/engine/item.ts';
import { CliError } from './cli-error.ts';
import type { Terminal } from './terminal.ts';

/**
 * Items from `--input`: JSON, `@file` or `@-` for standard input. An object is the json of one item; a list is one item per
 * entry; an entry of the form {json: {…}} is an item as it is.
 */
export async function readItems(input: string, terminal: Terminal): Promise<Item[]> {
  const text = input.startsWith('@') ? await terminal.read(input.slice(1)) : input;
  const value = parse(text);
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  return entries.map(itemOf);
}

function itemOf(entry: unknown): Item {
  if (!isObject(entry)) throw CliError.of('InvalidInput', `An item must be a JSON object, not ${JSON.stringify(entry)}.`);
  return isObject(entry['json']) && Object.keys(entry).length === 1 ? { json: entry['json'] } : { json: entry };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw CliError.of('InvalidInput', `The input is not JSON: ${error instanceof Error ? error.message : 'unknown'}`, error);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
