import { expect, test } from '@jest/globals';
import type { Item, JsonObject } from '../../engine/item.ts';
import { mergeBySql, type SqlSettings } from './sql.ts';
import { parseQuery, traced } from './sql-query.ts';

const items = (...list: JsonObject[]): Item[] => list.map((json) => ({ json }));
const people = items({ id: 1, name: 'Ann', tags: ['x'], on: true, 'odd key': 1 }, { id: 2, name: 'Bo', on: false, note: null });
const orders = items({ person: 1, total: 5 }, { person: 1, total: 7 }, { person: 3, total: 1 });
const query = (sql: string, more: Partial<SqlSettings> = {}): Promise<Item[]> => mergeBySql(sql, [people, orders], { compat: 'millrace', values: [], ...more });

test('joins, and gives lists, booleans and nulls back as they were', async () => {
  expect(await query('SELECT p.*, o.total FROM input1 AS p LEFT JOIN input2 o ON p.id = o.person ORDER BY p.id, o.total')).toEqual([
    { json: { id: 1, name: 'Ann', tags: ['x'], on: true, 'odd key': 1, total: 5 }, pairedItem: [{ item: 0 }, { item: 0, input: 1 }] },
    { json: { id: 1, name: 'Ann', tags: ['x'], on: true, 'odd key': 1, total: 7 }, pairedItem: [{ item: 0 }, { item: 1, input: 1 }] },
    { json: { id: 2, name: 'Bo', on: false, note: null }, pairedItem: [{ item: 1 }] },
  ]);
});

test('groups, and links a group to all its rows', async () => {
  expect(await query('SELECT person, SUM(total) AS sum FROM input2 GROUP BY person ORDER BY person')).toEqual([
    { json: { person: 1, sum: 12 }, pairedItem: [{ item: 0, input: 1 }, { item: 1, input: 1 }] }, { json: { person: 3, sum: 1 }, pairedItem: [{ item: 2, input: 1 }] },
  ]);
});

test('runs queries whose rows have no clear origin without links', async () => {
  expect(await query('SELECT DISTINCT person FROM input2 ORDER BY 1')).toEqual([{ json: { person: 1 } }, { json: { person: 3 } }]);
  expect(await query('WITH t AS (SELECT total FROM input2) SELECT MAX(total) AS m FROM t')).toEqual([{ json: { m: 7 } }]);
});

test('takes values for placeholders as data', async () => {
  expect((await query('SELECT id FROM input1 WHERE name = ?', { values: ["Bo' OR 1=1"] }))).toEqual([]);
  expect((await query('SELECT id FROM input1 WHERE name = ?', { values: ['Bo'] }))).toEqual([{ json: { id: 2 }, pairedItem: [{ item: 1 }] }]);
});

test('takes a field that no item has, and an empty input, for empty', async () => {
  expect(await mergeBySql('SELECT input1.id FROM input1 LEFT JOIN input2 ON input1.id = input2.id WHERE input2.id IS NULL', [people, []], { compat: 'millrace', values: [] }))
    .toEqual([{ json: { id: 1 }, pairedItem: [{ item: 0 }] }, { json: { id: 2 }, pairedItem: [{ item: 1 }] }]);
});

test('reads columns without a table from the first one for n8n', async () => {
  const sql = 'SELECT input1.id, total FROM input1 JOIN input2 ON input1.id = person ORDER BY total';
  expect((await query(sql)).map(({ json }) => json)).toEqual([{ id: 1, total: 5 }, { id: 1, total: 7 }]);
  expect(await query(sql, { compat: 'n8n-v2' })).toEqual([]);
});

test.each([
  'SELECT', "ATTACH DATABASE '/tmp/x.db' AS x", 'DELETE FROM input1', 'PRAGMA database_list', 'CREATE TABLE t (a)', "SELECT load_extension('x')", 'SELECT * FROM input9',
])('refuses %s', async (sql) => expect(query(sql)).rejects.toMatchObject({ code: 'InvalidQuery' }));

test('is not misled by text and comments', () => {
  const found = traced(parseQuery("SELECT 'FROM input9' AS t -- UNION\nFROM input1 /* JOIN input2 */ WHERE name <> 'a''b UNION'"));
  expect(found?.inputs).toEqual([0]);
});
