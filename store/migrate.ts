import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Database, Statement, Transaction } from './database.ts';
import { StoreError, StoreReason } from './error.ts';

export interface Migration {
  number: number;
  name: string;
  sql: string;
  /** SHA-256 of the file. */
  checksum: string;
  /** Versions without this migration cannot work with the schema after it. Said by a first line `-- breaking`. */
  breaking: boolean;
}

interface AppliedRow {
  number: number;
  name: string;
  checksum: string;
  breaking: boolean;
}

const HISTORY: Statement = {
  name: 'migrations',
  text: 'SELECT number, name, checksum, breaking FROM millrace.migration ORDER BY number',
};

export async function readMigrations(directory = fileURLToPath(new URL('migrations/', import.meta.url))): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => /^\d{4}-[\w-]+\.sql$/.test(file)).sort();
  return Promise.all(files.map(async (file, index) => {
    const number = Number(file.slice(0, 4));
    if (number !== index + 1) throw new StoreError(StoreReason.MigrationChanged, `Migration ${index + 1} is missing: found ${file}`);
    const sql = await readFile(`${directory}/${file}`, 'utf8');
    return {
      number, sql, name: file.replace(/\.sql$/, ''), checksum: createHash('sha256').update(sql).digest('hex'), breaking: sql.startsWith('-- breaking'),
    };
  }));
}

/**
 * Compares what is applied with what this version knows, both in order. Returns what is still to be applied.
 * Throws MigrationChanged or SchemaTooNew.
 */
export function pendingMigrations(known: readonly Migration[], applied: readonly AppliedRow[]): Migration[] {
  for (const row of applied) {
    const migration = known[row.number - 1];
    if (migration === undefined && row.breaking) {
      throw new StoreError(StoreReason.SchemaTooNew, `The schema has migration ${row.name}, which this version of Millrace does not know: use the version that applied it`);
    }
    if (migration !== undefined && migration.checksum !== row.checksum) {
      throw new StoreError(StoreReason.MigrationChanged, `Migration ${row.name} was applied with another text than ${migration.name} has now: restore the file`);
    }
  }
  return known.slice(applied.length);
}

/** Throws SchemaOutdated, SchemaTooNew or MigrationChanged unless the schema is one this version works with. */
export async function checkSchema(database: Database): Promise<void> {
  const [known, [found]] = await Promise.all([
    readMigrations(),
    database.query<{ exists: boolean }>({ name: 'schema-exists', text: "SELECT to_regclass('millrace.migration') IS NOT NULL AS exists" }),
  ]);
  const applied = found?.exists === true ? await database.query<AppliedRow>(HISTORY) : [];
  const pending = pendingMigrations(known, applied);
  if (pending.length > 0) {
    throw new StoreError(StoreReason.SchemaOutdated, `The schema lacks ${pending.map(({ name }) => name).join(', ')}: run \`node store/main.ts migrate\``);
  }
}

/** Applies what is missing. Any number of processes may do so at once; a failed migration leaves the schema as it was before it. */
export async function applyMigrations(database: Database): Promise<string[]> {
  const known = await readMigrations();
  const names: string[] = [];
  for (;;) {
    const name = await database.transaction(async (transaction) => applyNext(transaction, known));
    if (name === undefined) return names;
    names.push(name);
  }
}

async function applyNext(transaction: Transaction, known: readonly Migration[]): Promise<string | undefined> {
  // Held to the end of the transaction. The number is arbitrary; nobody else takes advisory locks in this database.
  await transaction.query({ name: 'migrate-lock', text: 'SELECT pg_advisory_xact_lock(727274001)' });
  await transaction.query({ name: 'migrate-schema', text: 'CREATE SCHEMA IF NOT EXISTS millrace' });
  await transaction.query({
    name: 'migrate-table',
    text: `CREATE TABLE IF NOT EXISTS millrace.migration (
      number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, breaking boolean NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
  });
  const [next] = pendingMigrations(known, await transaction.query<AppliedRow>(HISTORY));
  if (next === undefined) return undefined;
  await transaction.script(next.sql);
  await transaction.query({ name: 'migrate-record', text: 'INSERT INTO millrace.migration (number, name, checksum, breaking) VALUES ($1, $2, $3, $4)' },
    [next.number, next.name, next.checksum, next.breaking]);
  return next.name;
}
