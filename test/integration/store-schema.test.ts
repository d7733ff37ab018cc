import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { migrate, openStore } from '../../store/store.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { accept, publish } from '../postgres/test-store.ts';

let postgres: Postgres;

beforeAll(async () => { postgres = await startPostgres(); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);

async function sql(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(text);
  await client.end();
}

const options = (url: string) => ({ url, applicationName: 'test' });

test('many migrators at once apply every migration once', async () => {
  const url = await postgres.database();
  const applied = await Promise.all(Array.from({ length: 6 }, async () => migrate(options(url))));
  expect(applied.flat().length).toBe(new Set(applied.flat()).size);
  expect(applied.flat()).toContain('0001-core');
  expect(await migrate(options(url))).toEqual([]);
});

test('a store waits for the schema, or says that it is missing', async () => {
  const url = await postgres.database();
  await expect(openStore(options(url))).rejects.toMatchObject({ code: 'SchemaOutdated', message: expect.stringContaining('0001-core') });
  const opening = openStore({ ...options(url), waitMs: 20_000 });
  await migrate(options(url));
  const store = await opening;
  await publish(store);
  expect(await accept(store)).toMatch(/^[0-9a-f-]{36}$/);
  await store.close();
});

test('a newer schema is used if it is compatible, and refused if not', async () => {
  const url = await postgres.database();
  await migrate(options(url));
  await sql(url, "INSERT INTO millrace.migration VALUES (9001, '9001-later', 'x', false)");
  await (await openStore(options(url))).close();
  await sql(url, "INSERT INTO millrace.migration VALUES (9002, '9002-breaking', 'x', true)");
  await expect(openStore(options(url))).rejects.toMatchObject({ code: 'SchemaTooNew', message: expect.stringContaining('9002-breaking') });
  await expect(migrate(options(url))).rejects.toMatchObject({ code: 'SchemaTooNew' });
});

test('a migration whose text has changed since it was applied is refused', async () => {
  const url = await postgres.database();
  await migrate(options(url));
  await sql(url, "UPDATE millrace.migration SET checksum = 'other' WHERE number = 1");
  await expect(openStore(options(url))).rejects.toMatchObject({ code: 'MigrationChanged' });
});

test('a server that may forget committed work is refused, or warned about', async () => {
  const url = await postgres.database();
  await migrate(options(url));
  await sql(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`);
  await expect(openStore(options(url))).rejects.toMatchObject({ code: 'DurabilityOff', message: expect.stringContaining('synchronous_commit') });
  const warnings: object[] = [];
  const log = { info: () => undefined, warn: (fields: object) => { warnings.push(fields); } };
  await (await openStore({ ...options(url), durability: 'Warn', log })).close();
  expect(warnings).toEqual([{ code: 'DurabilityOff', settings: ['synchronous_commit'] }]);
});

test('no server, wrong password, wrong database: coded errors that do not tell the password', async () => {
  const secret = 'postgres://postgres:hunter2@127.0.0.1';
  for (const [url, code] of [[`${secret}:1/x`, 'StoreUnavailable'], [`${secret}:${postgres.port}/missing`, 'StoreFailed']] as const) {
    const error: unknown = await openStore(options(url)).then(() => undefined, (reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('hunter2');
  }
});
