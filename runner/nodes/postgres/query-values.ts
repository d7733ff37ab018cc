import type { NodeContext } from '../../engine/node-type.ts';
import { Compat } from '../../engine/workflow.ts';
import { fieldList } from '../field-list.ts';
import { parseJson } from '../json-text.ts';

/**
 * The values of a query: a list, or texts and expressions with commas between them. n8n also splits what an expression gives at its commas,
 * unless it is JSON; millrace takes it as it is, so that nobody's data becomes two values.
 */
export function queryValues(context: NodeContext, index: number): unknown[] {
  const raw = context.rawParameter('options.queryReplacement');
  if (raw === undefined || raw === '') return fieldsOfItem(context, index);
  if (typeof raw !== 'string') return Array.isArray(raw) ? raw : [raw];
  const parts = raw.startsWith('=') ? raw.match(/\{\{[\s\S]*?\}\}/g) : null;
  if (!parts) return split(raw.replace(/^=/, ''));
  const isOne = raw.slice(1).trim() === parts[0];
  return parts.flatMap((part) => {
    const value = context.evaluate(`=${part}`, index);
    if (Array.isArray(value)) return isOne ? value : [value];
    if (typeof value !== 'string' || context.compat === Compat.Millrace || parseJson(value) !== undefined) return [value ?? null];
    return split(value);
  });
}

/** Version 1 names fields of the item. */
function fieldsOfItem(context: NodeContext, index: number): unknown[] {
  const json = context.input()[index]?.json ?? {};
  return fieldList(context.parameter('additionalFields.queryParams', index, '')).map((name) => json[name] ?? null);
}

const split = (text: string): string[] => text.split(',').map((part) => part.trim()).filter((part) => part !== '');
