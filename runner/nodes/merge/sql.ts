import type { DatabaseSync, SQLOutputValue, StatementColumnMetadata, StatementSync } from 'node:sqlite';
import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject, PairedItem } from '../../engine/item.ts';
import { Compat } from '../../engine/workflow.ts';
import { parseJson } from '../json-text.ts';
import { asList } from '../json-value.ts';
import { namedColumns, parseQuery, readBareColumnsFromFirst, traced, type SqlQuery, type TracedQuery } from './sql-query.ts';

type Inputs = readonly (readonly Item[])[];

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Column names, the first of those that differ only in case: SQL does not tell upper from lower case. */
function distinctNames(names: Iterable<string>): string[] {
  const byName = new Map<string, string>();
  for (const name of names) if (!byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), name);
  return [...byName.values()];
}

/** The fields of all items. */
const fieldsOf = (items: readonly Item[]): string[] => distinctNames(items.flatMap(({ json }) => Object.keys(json)));

function cell(value: unknown): null | number | bigint | string {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint') return value;
  return JSON.stringify(value) ?? null;
}

function fill(database: DatabaseSync, inputs: Inputs, query: SqlQuery): void {
  const named = namedColumns(query);
  for (const [index, items] of inputs.entries()) {
    const columns = distinctNames([...fieldsOf(items), ...named.filter(({ input, column }) => input === index && column.toLowerCase() !== 'rowid').map(({ column }) => column)]);
    const table = `input${index + 1}`;
    // A table needs a column even when its input has none.
    database.exec(`CREATE TABLE ${table} (${columns.length > 0 ? columns.map(quoted).join(', ') : '__empty'})`);
    if (columns.length === 0) {
      for (const _ of items) database.exec(`INSERT INTO ${table} DEFAULT VALUES`);
      continue;
    }
    const insert = database.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`);
    for (const { json } of items) insert.run(...columns.map((column) => cell(json[column])));
  }
}

/** From here on the query may read and compute, and nothing else: no files, no settings, no writes. */
async function lock(database: DatabaseSync): Promise<void> {
  const { constants } = await import('node:sqlite');
  const allowed = new Set([constants.SQLITE_SELECT, constants.SQLITE_READ, constants.SQLITE_FUNCTION, constants.SQLITE_RECURSIVE]);
  database.setAuthorizer((action) => (allowed.has(action) ? constants.SQLITE_OK : constants.SQLITE_DENY));
}

interface Prepared { statement: StatementSync; trace: TracedQuery | undefined }

function prepare(database: DatabaseSync, query: SqlQuery): Prepared {
  const trace = traced(query);
  try {
    if (trace) return { statement: database.prepare(trace.sql), trace };
  } catch {
    // Our reading of the query was wrong somewhere: run it as it is, without lineage.
  }
  return { statement: database.prepare(query.sql), trace: undefined };
}

const isHidden = (name: string): boolean => /^__row\d+$/.test(name) || name === '__empty';

type Row = Record<string, SQLOutputValue>;

interface Origin { input: number; rows: number[] }

function rowsBehind(row: Row, trace: TracedQuery): Origin[] {
  return trace.inputs.map((input, index) => {
    const value = row[`__row${index + 1}`];
    const rows = trace.grouped ? [...new Set(asList(typeof value === 'string' ? parseJson(value) : []))] : [value];
    return { input, rows: rows.flatMap((id) => (typeof id === 'number' ? [id - 1] : [])) };
  });
}

/**
 * The value of a result column. One taken straight from an input is looked up there: SQL knows no lists, objects or booleans,
 * and no difference between a field that is missing and one that is null.
 */
function columnValue(row: Row, column: StatementColumnMetadata, behind: readonly Origin[], inputs: Inputs): unknown {
  const input = Number(/^input(\d+)$/.exec(column.table ?? '')?.[1] ?? 0) - 1;
  const [origin, another] = behind.filter((entry) => entry.input === input);
  if (!column.column || !origin || another || origin.rows.length > 1) return row[column.name];
  const [position] = origin.rows;
  return position === undefined ? undefined : inputs[input]?.[position]?.json[column.column];
}

function itemOf(row: Row, { statement, trace }: Prepared, inputs: Inputs): Item {
  const behind = trace ? rowsBehind(row, trace) : [];
  const json: JsonObject = {};
  for (const column of statement.columns()) {
    const value = isHidden(column.name) ? undefined : columnValue(row, column, behind, inputs);
    if (value !== undefined) json[column.name] = value;
  }
  const pairedItem = behind.flatMap(({ input, rows }): PairedItem[] => rows.map((item) => (input === 0 ? { item } : { item, input })));
  return pairedItem.length > 0 ? { json, pairedItem } : { json };
}

/** The query as n8n or as SQLite reads it. */
function queryFor(sql: string, inputs: Inputs, compat: Compat): SqlQuery {
  const query = parseQuery(sql);
  return compat === Compat.Millrace ? query : readBareColumnsFromFirst(query, new Set(inputs.flatMap(fieldsOf)));
}

export interface SqlSettings {
  compat: Compat;
  /** What the placeholders `?` stand for, in order. */
  values: readonly unknown[];
}

/**
 * Runs one SELECT over the inputs as the tables input1, input2 … in an SQLite database in memory.
 * Throws WorkflowError InvalidQuery.
 */
export async function mergeBySql(sql: string, inputs: Inputs, { compat, values }: SqlSettings): Promise<Item[]> {
  // Loaded only when needed: few workflows use it, every executor would pay for it.
  const { DatabaseSync } = await import('node:sqlite');
  const query = queryFor(sql, inputs, compat);
  const database = new DatabaseSync(':memory:');
  try {
    fill(database, inputs, query);
    await lock(database);
    const prepared = prepare(database, query);
    return prepared.statement.all(...values.map(cell)).map((row) => itemOf(row, prepared, inputs));
  } catch (cause) {
    throw new WorkflowError('InvalidQuery', `The SQL query failed: ${cause instanceof Error ? cause.message : String(cause)}. It may be one SELECT over input1, input2 ….`, { parameter: 'query', nonRetryable: true, cause });
  } finally {
    database.close();
  }
}
