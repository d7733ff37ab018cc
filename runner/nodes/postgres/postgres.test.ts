import { expect, test } from '@jest/globals';
import type { DatabaseConnection, DatabaseStatement } from '../../engine/database.ts';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import { runNode, type NodeTest, type NodeTestResult } from '../testing/run-node.ts';
import { withValues } from './sql.ts';

/** Runs the node against a database that writes down what it is asked; `answer` gives its rows. */
async function run(parameters: JsonObject, more: Partial<NodeTest> = {}, answer: (statement: DatabaseStatement) => JsonObject[] = () => []): Promise<NodeTestResult & { asked: DatabaseStatement[]; together: number[]; released: (boolean | undefined)[] }> {
  const asked: DatabaseStatement[] = [];
  const released: (boolean | undefined)[] = [];
  const together: number[] = [];
  const connection: DatabaseConnection = {
    query: async (statement) => {
      if (!statement.text.includes('pg_attribute')) asked.push(statement);
      return [{ rows: statement.text.includes('pg_attribute') ? [{ attname: 'doc' }] : answer(statement), command: statement.text.split(' ')[0] ?? '' }];
    },
    async atomically(work) {
      const first = asked.length;
      const done = await work(connection);
      together.push(asked.length - first);
      return done;
    },
    release: (close) => void released.push(close),
  };
  const databases = { connect: async () => connection };
  const made = await runNode({
    type: 'postgres', version: 2.6, parameters, credentials: { postgres: { name: 'db' } }, ...more, host: { databases, credential: async () => ({ host: 'db', password: 's3cret' }) },
  });
  return { ...made, asked, together, released };
}

const mapped = (value: JsonObject, matchingColumns: string[] = []): JsonObject => ({ mappingMode: 'defineBelow', value, matchingColumns });
const where = { values: [{ column: 'a', value: 1 }, { column: 'b"', condition: 'IS NULL' }, { column: 'c', condition: 'LIKE', value: '%x' }] };

test.each<{ name: string; parameters: JsonObject; version?: number; text: string; values?: unknown[] }>([
  { name: 'insert', parameters: { table: 'T', columns: mapped({ id: 1, doc: [1], tags: ['a'] }) }, text: 'INSERT INTO "public"."T" ("id", "doc", "tags") VALUES ($1, $2, $3) RETURNING *', values: [1, '[1]', ['a']] },
  { name: 'insert what the item has', parameters: { table: { __rl: true, mode: 'list', value: 't' }, schema: 's', columns: { mappingMode: 'autoMapInputData' }, options: { skipOnConflict: true, outputColumns: ['x'], replaceEmptyStrings: true } }, text: 'INSERT INTO "s"."t" ("x", "e") VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING "x"', values: [7, null] },
  { name: 'insert of version 1', version: 1, parameters: { table: 't', columns: 'x, gone' }, text: 'INSERT INTO "public"."t" ("x", "gone") VALUES ($1, $2) RETURNING *', values: [7, null] },
  { name: 'update', parameters: { operation: 'update', table: 't', columns: mapped({ id: 1, a: 2 }, ['id']) }, text: 'UPDATE "public"."t" SET "a" = $1 WHERE "id" = $2 RETURNING *', values: [2, 1] },
  { name: 'update of version 1', version: 1, parameters: { operation: 'update', table: 't', columns: 'e', updateKey: 'x' }, text: 'UPDATE "public"."t" SET "e" = $1 WHERE "x" = $2 RETURNING *', values: ['', 7] },
  { name: 'update of version 2', version: 2, parameters: { operation: 'update', table: 't', dataMode: 'defineBelow', columnToMatchOn: 'id', valueToMatchOn: 3, valuesToSend: { values: [{ column: 'a', value: 'v' }] } }, text: 'UPDATE "public"."t" SET "a" = $1 WHERE "id" = $2 RETURNING *', values: ['v', 3] },
  { name: 'upsert', parameters: { operation: 'upsert', table: 't', columns: mapped({ id: 1, a: 2 }, ['id']) }, text: 'INSERT INTO "public"."t" ("id", "a") VALUES ($1, $2) ON CONFLICT ("id") DO UPDATE SET "a" = EXCLUDED."a" RETURNING *', values: [1, 2] },
  { name: 'upsert of a key alone', parameters: { operation: 'upsert', table: 't', columns: mapped({ id: 1 }, ['id']) }, text: 'INSERT INTO "public"."t" ("id") VALUES ($1) ON CONFLICT ("id") DO NOTHING RETURNING *', values: [1] },
  { name: 'select', parameters: { operation: 'select', table: 't', where, combineConditions: 'OR', sort: { values: [{ column: 'a', direction: 'DESC' }] } }, text: 'SELECT * FROM "public"."t" WHERE "a" = $1 OR "b""" IS NULL OR "c" LIKE $2 ORDER BY "a" DESC LIMIT 50', values: [1, '%x'] },
  { name: 'select everything', parameters: { operation: 'select', table: 't', returnAll: true }, text: 'SELECT * FROM "public"."t"', values: [] },
  { name: 'delete', parameters: { operation: 'deleteTable', table: 't', deleteCommand: 'delete', where }, text: 'DELETE FROM "public"."t" WHERE "a" = $1 AND "b""" IS NULL AND "c" LIKE $2', values: [1, '%x'] },
  { name: 'truncate', parameters: { operation: 'deleteTable', table: 't', restartSequences: true, options: { cascade: true } }, text: 'TRUNCATE TABLE "public"."t" RESTART IDENTITY CASCADE' },
  { name: 'drop', parameters: { operation: 'deleteTable', table: 't', deleteCommand: 'drop' }, text: 'DROP TABLE IF EXISTS "public"."t"' },
  { name: 'a query', parameters: { operation: 'executeQuery', query: 'SELECT $1', options: { queryReplacement: '={{ $json.list }}' } }, text: 'SELECT $1', values: ['a,b'] },
  { name: 'a query with several values', parameters: { operation: 'executeQuery', query: 'SELECT $2, $1', options: { queryReplacement: '={{ $json.comma }}, {{ $json.x }}' } }, text: 'SELECT $1, $2', values: [7, 'p,q'] },
  { name: 'a query of version 1', version: 1, parameters: { operation: 'executeQuery', query: 'SELECT $1', additionalFields: { queryParams: 'x' } }, text: 'SELECT $1', values: [7] },
])('makes the statement of $name', async ({ parameters, version, text, values }) => {
  const items = [parameters.operation === 'executeQuery' ? { x: 7, list: ['a,b', 'unused'], comma: 'p,q' } : { x: 7, e: '' }];
  const { asked, error } = await run(parameters, { items, ...(version !== undefined && { version }) });
  expect(error).toBeUndefined();
  expect(asked).toEqual([{ text, ...(values && { values }) }]);
});

test('an n8n workflow splits what expressions give at commas', async () => {
  const parameters = { operation: 'executeQuery', query: 'SELECT $1, $2', options: { queryReplacement: "={{ $json.both }}" } };
  expect((await run(parameters, { items: [{ both: 'p, q' }], compat: 'n8n-v2' })).asked[0]?.values).toEqual(['p', 'q']);
  expect((await run(parameters, { items: [{ both: 'p, q' }] })).error).toMatchObject({ code: 'ParameterInvalid' });
});

test.each([
  { query: `SELECT '$1', "$1", $1 -- $1`, want: { text: `SELECT '$1', "$1", $1 -- $1`, values: ['a'] } },
  { query: 'DO $x$ $1 $x$; DO $$ $2 $$', want: { text: 'DO $x$ $1 $x$; DO $$ $2 $$' } },
  { query: 'SELECT * FROM $1:name WHERE x = $2 OR y = $2', want: { text: 'SELECT * FROM "a" WHERE x = $1 OR y = $1', values: ['b"'] } },
  { query: 'SELECT $2:name', want: { text: 'SELECT "b"""' } },
])('finds the values of $query', ({ query, want }) => {
  expect(withValues(query, ['a', 'b"'])).toEqual(want);
});

test('several items are one transaction, which a failure takes back', async () => {
  const insert = { table: 't', columns: { mappingMode: 'autoMapInputData' } };
  const done = await run(insert, { items: [{ id: 1 }, { id: 2 }] }, ({ values }) => (values ? [{ id: values[0], at: new Date(0) }] : []));
  expect(done.together).toEqual([2]);
  expect(done.json).toEqual([[{ id: 1, at: '1970-01-01T00:00:00.000Z' }, { id: 2, at: '1970-01-01T00:00:00.000Z' }]]);
  const failing = (statement: DatabaseStatement): JsonObject[] => {
    if (statement.values?.[0] === 2) throw new WorkflowError('DatabaseQuery', 'password s3cret is wrong');
    return [];
  };
  const failed = await run(insert, { items: [{ id: 1 }, { id: 2 }], onError: 'Continue' }, failing);
  expect(failed.together).toEqual([]);
  expect(failed.run?.error).toMatchObject({ code: 'DatabaseQuery', itemIndex: 1, message: 'password [redacted] is wrong' });
  const alone = await run({ ...insert, options: { queryBatching: 'independently' } }, { items: [{ id: 1 }, { id: 2 }, { id: 3 }], onError: 'Continue' }, failing);
  expect(alone.together).toEqual([]);
  expect(alone.json[0]?.map((json) => Object.keys(json))).toEqual([['success'], ['error'], ['success']]);
  expect([done, failed, alone].map(({ released }) => released)).toEqual([[undefined], [undefined], [undefined]]);
});

test('a query that finds nothing gives nothing, another statement says that it was done', async () => {
  expect((await run({ operation: 'select', table: 't' })).json).toEqual([[]]);
  expect((await run({ operation: 'deleteTable', table: 't' })).json).toEqual([[{ success: true }]]);
});

test.each<[JsonObject, string]>([
  [{ operation: 'nonsense', table: 't' }, 'UnknownOperator'], [{ operation: 'select', table: '={{ $json.none }}' }, 'ParameterMissing'], [{ operation: 'executeQuery' }, 'ParameterInvalid'],
  [{ operation: 'update', table: 't', columns: mapped({ a: 1 }) }, 'ParameterMissing'], [{ operation: 'upsert', table: 't', columns: mapped({ a: 1 }) }, 'ParameterMissing'], [{ table: 't', columns: mapped({}) }, 'ParameterMissing'],
  [{ operation: 'select', table: 't', where: { values: [{ column: 'a', condition: 'constructor' }] } }, 'UnknownOperator'], [{ operation: 'deleteTable', table: 't', deleteCommand: 'x' }, 'ParameterInvalid'],
])('refuses %j', async (parameters, code) => {
  expect((await run(parameters)).error).toMatchObject({ code, node: 'Node' });
});
