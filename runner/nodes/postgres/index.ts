import type { DatabaseConnection, DatabaseResult, DatabaseStatement } from '../../engine/database.ts';
import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { atItem, continuesOnError, errorItem, mustStop } from '../item-errors.ts';
import { toJson } from '../json-clean.ts';
import { textParameter } from '../parameter-value.ts';
import { jsonColumns } from './columns.ts';
import { postgresParameters } from './parameters.ts';
import { OPERATIONS, tableOf, type Operation } from './statements.ts';

const NO_COLUMNS: ReadonlySet<string> = new Set();
const WRITING: ReadonlySet<string> = new Set(['insert', 'update', 'upsert']);

function operationOf(context: NodeContext): { name: string; make: Operation } {
  const name = textParameter(context, 'operation', 0) || 'insert';
  const make = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (make) return { name, make };
  throw new WorkflowError('UnknownOperator', `There is no operation '${name}'. Use one of ${Object.keys(OPERATIONS).join(', ')}.`, { parameter: 'operation', nonRetryable: true });
}

/** Makes the statements of items. Which columns take JSON is looked up once per table. */
function statementMaker(context: NodeContext, connection: Pick<DatabaseConnection, 'query'>): (index: number) => Promise<DatabaseStatement> {
  const { name, make } = operationOf(context);
  const asNumbers = textParameter(context, 'options.largeNumbersOutput', 0) === 'numbers';
  const known = new Map<string, Promise<ReadonlySet<string>>>();
  const columnsOf = (table: string): Promise<ReadonlySet<string>> => {
    const columns = known.get(table) ?? jsonColumns(connection, table);
    known.set(table, columns);
    return columns;
  };
  return async (index) => {
    const json = WRITING.has(name) ? await columnsOf(tableOf(context, index)) : NO_COLUMNS;
    return { ...make(context, index, json), ...(asNumbers && { asNumbers }) };
  };
}

/** Rows become items. What gives none says that it was done, unless it is a query that found nothing. */
function itemsOf(results: readonly DatabaseResult[], index: number): Item[] {
  const rows = results.flatMap((result) => result.rows);
  const isDone = rows.length === 0 && !results.some(({ command }) => command === 'SELECT');
  return (isDone ? [{ success: true }] : rows).map((row) => ({ json: toJson(row) as JsonObject, pairedItem: { item: index } }));
}

async function runAll(context: NodeContext, connection: Pick<DatabaseConnection, 'query'>, isAlone: boolean): Promise<Item[]> {
  const statementOf = statementMaker(context, connection);
  const made: Item[] = [];
  for (let index = 0; index < context.input().length; index += 1) {
    try {
      for (const item of itemsOf(await connection.query(await statementOf(index)), index)) made.push(item);
    } catch (error) {
      if (!isAlone || mustStop(context, error) || !continuesOnError(context)) throw atItem(error, index);
      made.push(errorItem(error, index));
    }
  }
  return made;
}

/** One statement is a transaction of its own; several are put into one, so that all take place or none. */
function runTogether(context: NodeContext, connection: DatabaseConnection): Promise<Item[]> {
  if (context.input().length <= 1) return runAll(context, connection, false);
  return connection.atomically((inside) => runAll(context, inside, false));
}

/** Reads and writes a PostgreSQL database. */
export const postgresNode: NodeType = {
  type: 'postgres', displayName: 'Postgres', group: 'action', versions: [1, 2, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6], effect: 'effectful', inputs: 1, outputs: ['main'],
  description: 'Runs a statement of SQL for each item, and gives the rows as items, or `{success: true}` for a statement without any. Needs a credential of type postgres.',
  parameters: postgresParameters,
  credentialType: () => 'postgres',
  problems: ({ parameters = {} }) => {
    const needed = parameters['operation'] === 'executeQuery' ? 'query' : 'table';
    return (parameters[needed] ?? '') === '' ? [{ parameter: needed, message: `The parameter '${needed}' is missing. Fill it in.` }] : [];
  },
  async execute(context) {
    const connection = await context.database('postgres');
    try {
      const mode = textParameter(context, 'options.queryBatching', 0) || textParameter(context, 'additionalFields.mode', 0);
      return [mode === 'independently' ? await runAll(context, connection, true) : await runTogether(context, connection)];
    } finally {
      connection.release();
    }
  },
};
