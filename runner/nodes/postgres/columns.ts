import type { DatabaseConnection } from '../../engine/database.ts';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { fieldList } from '../field-list.ts';
import { asObject, asObjects, asText } from '../json-value.ts';
import { flagParameter, textParameter } from '../parameter-value.ts';

/** What one item writes: column → value, and which of the columns say which row it is. */
export interface RowToWrite {
  values: JsonObject;
  matching: readonly string[];
}

/** A parameter that is a name, or n8n's resource locator with one. */
export function nameParameter(context: NodeContext, path: string, index: number, fallback = ''): string {
  const value = context.parameter(path, index, fallback);
  return asText(typeof value === 'object' && value !== null ? asObject(value).value : value).trim();
}

/** The columns of an item, as the versions of the node have them. */
export function rowToWrite(context: NodeContext, index: number): RowToWrite {
  const json = context.input()[index]?.json ?? {};
  const read = context.typeVersion < 2 ? namedFields : context.typeVersion < 2.2 ? valuesToSend : mappedColumns;
  const row = read(context, index, json);
  if (!flagParameter(context, 'options.replaceEmptyStrings', index)) return row;
  return { ...row, values: Object.fromEntries(Object.entries(row.values).map(([name, value]) => [name, value === '' ? null : value])) };
}

/** Version 1: names of columns, which are fields of the item too. */
function namedFields(context: NodeContext, index: number, json: JsonObject): RowToWrite {
  const matching = fieldList(textParameter(context, 'updateKey', index, 'id'));
  const names = fieldList(context.parameter('columns', index, ''));
  if (textParameter(context, 'operation', index, 'insert') === 'update') names.push(...matching);
  return { values: Object.fromEntries(names.map((name) => [name, json[name] ?? null])), matching };
}

function valuesToSend(context: NodeContext, index: number, json: JsonObject): RowToWrite {
  const match = nameParameter(context, 'columnToMatchOn', index);
  const matching = match === '' ? [] : [match];
  if (textParameter(context, 'dataMode', index, 'autoMapInputData') === 'autoMapInputData') return { values: json, matching };
  const listed = asObjects(context.parameter('valuesToSend.values', index)).map(({ column, value }) => [asText(column), value] as const);
  return { values: { ...Object.fromEntries(listed), ...(match !== '' && { [match]: context.parameter('valueToMatchOn', index) }) }, matching };
}

function mappedColumns(context: NodeContext, index: number, json: JsonObject): RowToWrite {
  const { mappingMode, value, matchingColumns } = asObject(context.parameter('columns', index));
  return { values: mappingMode === 'defineBelow' ? asObject(value) : json, matching: fieldList(matchingColumns ?? []) };
}

/** Throws WorkflowError ParameterMissing. */
export function requireColumns(names: readonly string[], what: string, parameter = 'columns'): void {
  if (names.length === 0) throw new WorkflowError('ParameterMissing', `${what}: map at least one column.`, { parameter, nonRetryable: true });
}

/** Names of the json and jsonb columns of a table: lists and objects are written to them as JSON, and to others as arrays of PostgreSQL. */
export async function jsonColumns(connection: Pick<DatabaseConnection, 'query'>, table: string): Promise<ReadonlySet<string>> {
  const [found] = await connection.query({
    text: `SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND atttypid IN ('json'::regtype, 'jsonb'::regtype)`, values: [table],
  });
  return new Set(found?.rows.map(({ attname }) => asText(attname)));
}
