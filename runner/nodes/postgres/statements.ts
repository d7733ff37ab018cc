import type { DatabaseStatement } from '../../engine/database.ts';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { fieldList } from '../field-list.ts';
import { asObjects, asText } from '../json-value.ts';
import { flagParameter, numberParameter, textParameter } from '../parameter-value.ts';
import { nameParameter, requireColumns, rowToWrite } from './columns.ts';
import { queryValues } from './query-values.ts';
import { quoted, Values, withValues } from './sql.ts';

/** Makes the statement of one item. `json`: names of the columns that take JSON. */
export type Operation = (context: NodeContext, index: number, json: ReadonlySet<string>) => DatabaseStatement;

/** The table of an item, quoted. Throws WorkflowError ParameterMissing. */
export function tableOf(context: NodeContext, index: number): string {
  const table = nameParameter(context, 'table', index);
  if (table === '') throw new WorkflowError('ParameterMissing', 'The table is missing. Name one.', { parameter: 'table', nonRetryable: true });
  return `${quoted(nameParameter(context, 'schema', index, 'public') || 'public')}.${quoted(table)}`;
}

const COMPARISONS: Readonly<Record<string, string>> = { equal: '=', '=': '=', '!=': '<>', '>': '>', '<': '<', '>=': '>=', '<=': '<=', LIKE: 'LIKE', 'IS NULL': 'IS NULL', 'IS NOT NULL': 'IS NOT NULL' };

function whereOf(context: NodeContext, index: number, values: Values): string {
  const conditions = asObjects(context.parameter('where.values', index)).map(({ column, condition, value }) => {
    const name = asText(condition) || 'equal';
    const operator = Object.hasOwn(COMPARISONS, name) ? COMPARISONS[name] : undefined;
    if (operator === undefined) throw new WorkflowError('UnknownOperator', `There is no condition '${name}'. Use one of ${Object.keys(COMPARISONS).join(', ')}.`, { parameter: 'where', nonRetryable: true });
    return `${quoted(asText(column))} ${operator}${operator.startsWith('IS') ? '' : ` ${values.add(value ?? null)}`}`;
  });
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(textParameter(context, 'combineConditions', index) === 'OR' ? ' OR ' : ' AND ')}`;
}

function outputColumns(context: NodeContext, index: number): string {
  const listed = fieldList(context.parameter('options.outputColumns', index) ?? context.parameter('returnFields', index, '*'));
  return listed.length === 0 || listed.includes('*') ? '*' : listed.map(quoted).join(', ');
}

/** A row on its way into a table. */
class Row {
  readonly names: readonly string[];
  readonly matching: readonly string[];
  readonly values = new Values();
  readonly table: string;
  readonly #fields: JsonObject;
  readonly #json: ReadonlySet<string>;

  constructor(context: NodeContext, index: number, json: ReadonlySet<string>) {
    const { values, matching } = rowToWrite(context, index);
    this.table = tableOf(context, index);
    this.names = Object.keys(values);
    this.matching = matching;
    this.#fields = values;
    this.#json = json;
  }

  /** The columns that do not say which row it is. */
  get others(): readonly string[] {
    return this.names.filter((name) => !this.matching.includes(name));
  }

  placeholder(name: string): string {
    const value = this.#fields[name] ?? null;
    return this.values.add(this.#json.has(name) && typeof value === 'object' && value !== null ? JSON.stringify(value) : value);
  }

  insert(): string {
    requireColumns(this.names, 'There is nothing to insert');
    return `INSERT INTO ${this.table} (${this.names.map(quoted).join(', ')}) VALUES (${this.names.map((name) => this.placeholder(name)).join(', ')})`;
  }

  assignments(names: readonly string[]): string[] {
    return names.map((name) => `${quoted(name)} = ${this.placeholder(name)}`);
  }
}

const executeQuery: Operation = (context, index) => withValues(textParameter(context, 'query', index), queryValues(context, index));

const select: Operation = (context, index) => {
  const values = new Values();
  const where = whereOf(context, index, values);
  const order = asObjects(context.parameter('sort.values', index)).map(({ column, direction }) => `${quoted(asText(column))}${asText(direction).toUpperCase() === 'DESC' ? ' DESC' : ''}`);
  const limit = flagParameter(context, 'returnAll', index) ? '' : ` LIMIT ${Math.max(0, Math.floor(numberParameter(context, 'limit', index, 50)))}`;
  return { text: `SELECT ${outputColumns(context, index)} FROM ${tableOf(context, index)}${where}${order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`}${limit}`, values: values.list };
};

const insert: Operation = (context, index, json) => {
  const row = new Row(context, index, json);
  const skip = flagParameter(context, 'options.skipOnConflict', index) ? ' ON CONFLICT DO NOTHING' : '';
  return { text: `${row.insert()}${skip} RETURNING ${outputColumns(context, index)}`, values: row.values.list };
};

const update: Operation = (context, index, json) => {
  const row = new Row(context, index, json);
  requireColumns(row.matching, 'No column says which rows to update', 'columns.matchingColumns');
  requireColumns(row.others, 'There is nothing to update');
  const changes = row.assignments(row.others);
  return { text: `UPDATE ${row.table} SET ${changes.join(', ')} WHERE ${row.assignments(row.matching).join(' AND ')} RETURNING ${outputColumns(context, index)}`, values: row.values.list };
};

const upsert: Operation = (context, index, json) => {
  const row = new Row(context, index, json);
  requireColumns(row.matching, 'No column says which row is there already', 'columns.matchingColumns');
  const changes = row.others.map((name) => `${quoted(name)} = EXCLUDED.${quoted(name)}`);
  const conflict = ` ON CONFLICT (${row.matching.map(quoted).join(', ')}) DO ${changes.length === 0 ? 'NOTHING' : `UPDATE SET ${changes.join(', ')}`}`;
  return { text: `${row.insert()}${conflict} RETURNING ${outputColumns(context, index)}`, values: row.values.list };
};

const deleteTable: Operation = (context, index) => {
  const table = tableOf(context, index);
  const cascade = flagParameter(context, 'options.cascade', index) ? ' CASCADE' : '';
  const values = new Values();
  switch (textParameter(context, 'deleteCommand', index, 'truncate')) {
    case 'truncate': return { text: `TRUNCATE TABLE ${table}${flagParameter(context, 'restartSequences', index) ? ' RESTART IDENTITY' : ''}${cascade}` };
    case 'drop': return { text: `DROP TABLE IF EXISTS ${table}${cascade}` };
    case 'delete': return { text: `DELETE FROM ${table}${whereOf(context, index, values)}`, values: values.list };
    default: throw new WorkflowError('ParameterInvalid', 'deleteCommand is truncate, delete or drop.', { parameter: 'deleteCommand', nonRetryable: true });
  }
};

export const OPERATIONS: Readonly<Record<string, Operation>> = { executeQuery, select, insert, update, upsert, deleteTable };
