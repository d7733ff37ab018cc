import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import type { JsonObject } from '../../runner/engine/item.ts';
import type { WorkflowNode } from '../../runner/engine/workflow.ts';
import { startSecretServer, type SecretServer } from '../doubles/api-server.ts';
import { until } from '../eventually.ts';
import { chain, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';
import type { RunnerProcess } from './runner-process.ts';

jest.setTimeout(180_000);

const PASSWORD = 's3cret-of-the-shop';

let world: RunnerFixture;
let secrets: SecretServer;
let runner: RunnerProcess;
/** The database of the shop, as its owner sees it. */
let shop: Client;

beforeAll(async () => {
  [world, secrets] = await Promise.all([startRunnerFixture(), startSecretServer()]);
  const url = new URL(await world.postgres.database());
  shop = new Client({ connectionString: url.href });
  await shop.connect();
  await shop.query(`CREATE ROLE shop LOGIN PASSWORD '${PASSWORD}'; CREATE TABLE orders (id int PRIMARY KEY, total numeric, doc jsonb, tags text[]); GRANT ALL ON orders TO shop`);
  const fields = { host: '127.0.0.1', port: url.port, database: url.pathname.slice(1), user: 'shop', password: PASSWORD };
  secrets.add('test', 'shop-db', { type: 'postgres', fields });
  secrets.add('test', 'metadata', { type: 'postgres', fields: { ...fields, host: '169.254.169.254' } });
  secrets.add('test', 'other-type', { type: 'httpHeaderAuth', fields });
  secrets.add('elsewhere', 'theirs', { type: 'postgres', fields });
  runner = await world.runner({ KUBECONFIG: secrets.kubeconfig });
}, 120_000);
afterAll(async () => {
  await shop.end();
  await Promise.all([world.stop(), secrets.close()]);
});

const postgres = (name: string, parameters: JsonObject, credential = 'Shop DB'): WorkflowNode => ({ name, type: 'postgres', typeVersion: 2.6, parameters, credentials: { postgres: { name: credential } } });
const query = (name: string, text: string, queryReplacement?: string): WorkflowNode => postgres(name, { operation: 'executeQuery', query: text, ...(queryReplacement !== undefined && { options: { queryReplacement } }) });

test('a workflow reads and writes a database with a credential of its namespace', async () => {
  const row = { mappingMode: 'defineBelow', matchingColumns: ['id'], value: { id: '={{ $json.id }}', total: '={{ $json.id * 10 }}', doc: '={{ [$json.id, "two"] }}', tags: '={{ ["a,b", "c"] }}' } };
  const workflow = await world.deploy(chain('orders', [
    query('Make', 'SELECT generate_series(1, 3) AS id'),
    postgres('Insert', { table: 'orders', columns: row }),
    postgres('Change', { operation: 'update', table: 'orders', columns: { ...row, value: { id: '={{ $json.id }}', total: 5 } } }),
    postgres('Again', { operation: 'upsert', table: 'orders', columns: { ...row, value: { id: '={{ $json.id }}', total: '={{ $json.id }}' } } }),
    postgres('Remove', { operation: 'deleteTable', table: 'orders', deleteCommand: 'delete', where: { values: [{ column: 'id', condition: '>', value: 2 }] } }),
    { ...postgres('Read', { operation: 'select', table: 'orders', sort: { values: [{ column: 'id', direction: 'DESC' }] }, options: { largeNumbersOutput: 'numbers' } }), executeOnce: true },
  ]));
  const id = await world.submit(workflow);
  expect(await world.ended(id)).toMatchObject({ status: 'Succeeded' });
  expect(await world.jsonOf(id, 'Insert')).toHaveLength(3);
  expect((await world.jsonOf(id, 'Insert'))[0]).toEqual({ id: 1, total: '10', doc: [1, 'two'], tags: ['a,b', 'c'] });
  expect(await world.jsonOf(id, 'Read')).toEqual([{ id: 2, total: 2, doc: [2, 'two'], tags: ['a,b', 'c'] }, { id: 1, total: 1, doc: [1, 'two'], tags: ['a,b', 'c'] }]);
  // All nodes ran with what one question gave.
  expect(secrets.asked).toEqual(['test/shop-db']);
});

test.each([
  { name: 'what PostgreSQL refuses', node: query('Q', 'SELECT nothing FROM nowhere'), code: 'DatabaseQuery' },
  { name: 'a Secret that is not there', node: postgres('Q', { operation: 'executeQuery', query: 'SELECT 1' }, 'theirs'), code: 'CredentialNotFound' },
  { name: 'a Secret of another type', node: postgres('Q', { operation: 'executeQuery', query: 'SELECT 1' }, 'other-type'), code: 'CredentialNotFound' },
  { name: 'a denied network', node: postgres('Q', { operation: 'executeQuery', query: 'SELECT 1' }, 'metadata'), code: 'EgressDenied' },
])('$name is told by its code', async ({ name, node, code }) => {
  const id = await world.submit(await world.deploy(chain(name.replaceAll(' ', '-').toLowerCase(), [node])));
  expect(await world.ended(id)).toMatchObject({ status: 'Failed', error: { code, node: 'Q' } });
});

test('executions share the connections of a runner', async () => {
  const workflow = await world.deploy(chain('many', [query('Slow', 'SELECT pg_sleep(0.05), count(*)::int AS n FROM pg_stat_activity WHERE usename = $1', 'shop')]));
  const ids = await Promise.all(Array.from({ length: 60 }, () => world.submit(workflow)));
  const counts = await Promise.all(ids.map(async (id) => {
    expect(await world.ended(id)).toMatchObject({ status: 'Succeeded' });
    const [row] = await world.jsonOf(id, 'Slow');
    return (row as { n: number }).n;
  }));
  expect(Math.max(...counts)).toBeLessThanOrEqual(10);
});

test('an execution that is canceled leaves no transaction behind', async () => {
  const workflow = await world.deploy(chain('stopped', [query('Both', 'SELECT generate_series(1, 2) AS id'), query('Slow', 'SELECT pg_sleep($1::int * 30), $1::int AS slow', '={{ $json.id }}')]));
  const id = await world.submit(workflow);
  const open = async (): Promise<number> => (await shop.query<{ n: number }>(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'shop' AND xact_start IS NOT NULL AND query LIKE 'SELECT pg_sleep($1%'`)).rows[0]?.n ?? 0;
  await until(async () => (await open()) > 0);
  await world.store.queue.cancel([id]);
  expect(await world.ended(id)).toMatchObject({ status: 'Canceled' });
});

test('one transaction outlives the runner that began it: its statements take place once, or not at all', async () => {
  const settings = { transaction: { credential: 'Shop DB' } };
  const call: WorkflowNode = { name: 'Call', type: 'httpRequest', parameters: { method: 'POST', url: `${world.effects.url}/between` } };
  const nodes = [query('One', `INSERT INTO orders (id) VALUES (101) RETURNING id`), call, query('Two', `INSERT INTO orders (id) VALUES (102) RETURNING id`)];
  const written = async (): Promise<unknown[]> => (await shop.query<{ id: number }>('SELECT id FROM orders WHERE id > 100 ORDER BY id')).rows.map(({ id }) => id);
  expect(await world.ended(await world.submit(await world.deploy(chain('not-permitted', nodes, { settings }))))).toMatchObject({ status: 'Failed', error: { code: 'TransactionFailed', node: 'One' } });
  await shop.query('GRANT CREATE ON SCHEMA public TO shop');
  const failing = await world.deploy(chain('taken-back', [...nodes, query('Wrong', 'SELECT nothing')], { settings }));
  expect(await world.ended(await world.submit(failing))).toMatchObject({ status: 'Failed', error: { code: 'DatabaseQuery', node: 'Wrong' } });
  expect(await written()).toEqual([]);

  world.effects.hold('/between');
  const id = await world.submit(await world.deploy(chain('once', nodes, { settings })));
  await until(() => world.effects.requests('/between').length > 1);
  expect(await written()).toEqual([]);
  await world.killRunners();
  world.effects.release('/between');
  runner = await world.runner({ KUBECONFIG: secrets.kubeconfig });
  expect(await world.ended(id)).toMatchObject({ status: 'Succeeded' });
  expect(await written()).toEqual([101, 102]);
});

test('executions of all executors share one access token', async () => {
  let fetched = 0;
  const issuer = createServer((_, response) => {
    fetched += 1;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: `token-${fetched}`, expires_in: 3600 }));
  });
  await new Promise<void>((resolve) => { issuer.listen(0, '127.0.0.1', resolve); });
  const accessTokenUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/token`;
  secrets.add('test', 'partner', { type: 'oAuth2Api', fields: { grantType: 'clientCredentials', accessTokenUrl, clientId: 'shop', clientSecret: PASSWORD } });
  const call: WorkflowNode = { name: 'Call', type: 'httpRequest', typeVersion: 4.2, credentials: { oAuth2Api: { name: 'partner' } }, parameters: { url: `${world.effects.url}/partner`, authentication: 'genericCredentialType', genericAuthType: 'oAuth2Api' } };
  const workflow = await world.deploy(chain('partner', [call]));
  const ids = await Promise.all(Array.from({ length: 40 }, () => world.submit(workflow)));
  for (const id of ids) expect(await world.ended(id)).toMatchObject({ status: 'Succeeded' });
  expect(world.effects.requests('/partner').map(({ authorization }) => authorization)).toEqual(ids.map(() => 'Bearer token-1'));
  expect(fetched).toBe(1);
  issuer.close();
});

test('nothing that is stored or logged holds the password', async () => {
  expect(runner.output()).not.toContain(PASSWORD);
  const { rows: databases } = await shop.query<{ name: string }>(`SELECT datname AS name FROM pg_database WHERE datname LIKE 'test%' AND datname <> current_database()`);
  let searched = 0;
  for (const { name } of databases) {
    const url = new URL(world.postgres.url);
    url.pathname = name;
    const store = new Client({ connectionString: url.href });
    await store.connect();
    const { rows: tables } = await store.query<{ name: string }>(`SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'millrace'`);
    for (const table of tables) {
      // Bytes show as hex.
      const { rows } = await store.query<{ rows: number; found: number }>(
        `SELECT count(*)::int AS rows, count(*) FILTER (WHERE t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || encode($1::text::bytea, 'hex') || '%')::int AS found FROM ${table.name} t`, [PASSWORD],
      );
      expect([table.name, rows[0]?.found]).toEqual([table.name, 0]);
      searched += rows[0]?.rows ?? 0;
    }
    await store.end();
  }
  expect(searched).toBeGreaterThan(50);
});
