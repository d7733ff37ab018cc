import { createHash } from 'node:crypto';
import type { BlockList } from 'node:net';
import type pg from 'pg';
import type { Pool, PoolClient, PoolConfig, QueryResult } from 'pg';
import type { DatabaseConnection, Databases, DatabaseStatement } from '../engine/database.ts';
import { WorkflowError } from '../engine/error.ts';
import type { JsonObject } from '../engine/item.ts';
import { GuardedSocket } from '../egress.ts';
import { databaseError } from './postgres-error.ts';
import { postgresSettings, type PostgresSettings } from './settings.ts';

export interface PoolsOptions {
  /** Networks that workflows may not connect to. */
  denied: BlockList;
  /** Connections that one credential of one namespace has at most. */
  maxConnections: number;
  /** How long a node waits for a connection, in milliseconds. Default 30 s. */
  waitMs?: number;
  /** How long a connection that nobody uses stays open, in milliseconds. Default 10 s. */
  idleMs?: number;
}

/** Credentials that have connections at the same time. */
const MAX_POOLS = 32;

type Driver = Pick<typeof pg, 'Pool' | 'TypeOverrides'>;

/**
 * One pool per namespace and content of a credential: a changed credential gets new connections, and those of the old one close when nobody
 * uses them. The driver is loaded with the first connection.
 */
export class PostgresPools implements Databases {
  readonly #options: PoolsOptions;
  /** Least recently used first. */
  readonly #pools = new Map<string, Pool>();
  #driver: Promise<Driver> | undefined;

  constructor(options: PoolsOptions) {
    this.#options = options;
  }

  async connect({ namespace, fields, signal }: { namespace: string; fields: JsonObject; signal: AbortSignal }): Promise<DatabaseConnection> {
    const settings = postgresSettings(fields);
    const driver = await (this.#driver ??= import('pg').then((module) => module.default));
    const pool = this.#poolFor(createHash('sha256').update(JSON.stringify([namespace, settings])).digest('base64'), settings, driver);
    signal.throwIfAborted();
    try {
      return connectionOf(await pool.connect(), { driver, signal });
    } catch (error) {
      const isFull = pool.totalCount >= (pool.options.max ?? 0) && pool.idleCount === 0;
      throw isFull ? busy(`all ${pool.totalCount} connections of the credential were in use for too long`) : databaseError(error);
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.end()));
  }

  #poolFor(key: string, settings: PostgresSettings, driver: Driver): Pool {
    const pool = this.#pools.get(key) ?? this.#open(settings, driver);
    this.#pools.delete(key);
    this.#pools.set(key, pool);
    return pool;
  }

  #open({ maxConnections = Infinity, ...settings }: PostgresSettings, driver: Driver): Pool {
    if (this.#pools.size >= MAX_POOLS) this.#closeUnused();
    const { denied, waitMs = 30_000, idleMs = 10_000 } = this.#options;
    const pool = new driver.Pool({
      ...settings, max: Math.min(maxConnections, this.#options.maxConnections), connectionTimeoutMillis: waitMs, idleTimeoutMillis: idleMs,
      allowExitOnIdle: true, application_name: 'millrace', keepAlive: true, stream: () => new GuardedSocket(denied),
    } satisfies PoolConfig);
    // An idle connection that breaks is taken out of the pool; the next one who needs one gets a new one.
    pool.on('error', () => undefined);
    return pool;
  }

  #closeUnused(): void {
    for (const [key, pool] of this.#pools) {
      if (pool.totalCount > pool.idleCount || pool.waitingCount > 0) continue;
      this.#pools.delete(key);
      void pool.end();
      return;
    }
    throw busy(`${MAX_POOLS} credentials of databases are in use in this executor`);
  }
}

function connectionOf(client: PoolClient, { driver, signal }: { driver: Driver; signal: AbortSignal }): DatabaseConnection {
  let isReleased = false;
  // A broken connection tells it here as well as to whoever uses it.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  const release = (close = false): void => {
    if (isReleased) return;
    isReleased = true;
    signal.removeEventListener('abort', onAbort);
    client.off('error', ignore);
    client.release(close);
  };
  const onAbort = (): void => release(true);
  signal.addEventListener('abort', onAbort, { once: true });
  const connection: DatabaseConnection = {
    release,
    async atomically(work) {
      await connection.query({ text: 'BEGIN' });
      try {
        const done = await work(connection);
        await connection.query({ text: 'COMMIT' });
        return done;
      } catch (error) {
        // A connection that cannot even do this is closed, which does it too.
        await connection.query({ text: 'ROLLBACK' }).catch(() => release(true));
        throw error;
      }
    },
    async query({ text, values, asNumbers }: DatabaseStatement) {
      try {
        const answer: QueryResult | QueryResult[] = await client.query({ text, ...(values && { values: [...values] }), ...(asNumbers && { types: largeAsNumbers(driver) }) });
        return (Array.isArray(answer) ? answer : [answer]).map(({ rows, command }) => ({ rows: rows as JsonObject[], command: command ?? '' }));
      } catch (error) {
        throw databaseError(error);
      }
    },
  };
  return connection;
}

/** bigint and numeric */
const LARGE = [20, 1700];

function largeAsNumbers({ TypeOverrides }: Driver): pg.TypeOverrides {
  const types = new TypeOverrides();
  for (const type of LARGE) types.setTypeParser(type, Number);
  return types;
}

function busy(why: string): WorkflowError {
  return new WorkflowError('DatabaseBusy', `There was no connection to the database: ${why}. Try again, run fewer executions at a time, or allow the runners more connections.`);
}
