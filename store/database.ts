import { type ClientBase, type ClientConfig, Pool, type PoolClient, type QueryConfig, TypeOverrides, types } from 'pg';
import { patience, persist } from './backoff.ts';
import { breaksConnection, toStoreError } from './database-error.ts';
import { StoreError, StoreReason } from './error.ts';
import { NO_OBSERVER, type StoreObserver } from './observer.ts';
import { checkPrimary, Servers } from './servers.ts';

/** A statement with a name: prepared once per connection. */
export interface Statement {
  name: string;
  text: string;
}

/** Runs statements on one connection, inside one transaction. */
export interface Transaction {
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /** Several statements without parameters, which may take up to an hour. */
  script(sql: string): Promise<void>;
}

export interface ConnectionOptions {
  /** `postgres://…`; with several hosts, comma-separated, whichever is the primary. */
  url: string;
  applicationName: string;
}

export interface DatabaseOptions extends ConnectionOptions {
  poolSize: number;
  /** Told about connections that broke while idle. */
  onBroken(error: Error): void;
  /** How long a call is tried again. Default 15,000. */
  giveUpMs?: number;
  observer?: StoreObserver;
}

/** Connections of the pool, and the calls that wait for one. */
export interface Connections {
  open: number;
  idle: number;
  waiting: number;
}

const GIVE_UP_MS = 15_000;
/** PostgreSQL ends a statement after this; the client gives up on a connection that is silent a little longer. */
const STATEMENT_MS = 10_000;
const SILENCE_MS = 12_000;
const SCRIPT_MS = 3_600_000;

/** A pool of connections. Every call is tried again when its connection breaks, so every call must be safe to repeat. */
export class Database {
  readonly #pool: Pool;
  readonly #giveUpMs: number;
  readonly #observer: StoreObserver;
  readonly #servers: Servers;
  #closed = false;

  constructor(options: DatabaseOptions) {
    this.#giveUpMs = options.giveUpMs ?? GIVE_UP_MS;
    this.#observer = options.observer ?? NO_OBSERVER;
    this.#servers = new Servers(options.url);
    this.#pool = new Pool({
      ...connectionConfig(options), max: options.poolSize, idleTimeoutMillis: 60_000,
      ...(this.#servers.several && {
        Client: this.#servers.clientClass(),
        // The pool waits for what it returns, whatever its types say.
        onConnect: checkPrimary as unknown as (client: ClientBase) => void,
      }),
    });
    this.#pool.on('error', options.onBroken);
    // The pool listens only while a connection is idle. One may break in the very turn in which it is handed out, before its user
    // could listen, and without a listener that ends the process. Its user hears of it by the query that fails.
    this.#pool.on('connect', (client) => { client.on('error', () => undefined); });
  }

  get connections(): Connections {
    return { open: this.#pool.totalCount, idle: this.#pool.idleCount, waiting: this.#pool.waitingCount };
  }

  /** One statement, which is its own transaction. */
  async query<Row extends object>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#persist(async (client) => this.#select<Row>(client, statement, values));
  }

  /** All of `work` or nothing, READ COMMITTED. */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#persist(async (client) => this.#inTransaction(client, work));
  }

  /** One statement; when an earlier try of it may have been committed unnoticed, it and `repair` in one transaction. */
  async queryOnce<Row extends object>(
    statement: Statement,
    values: readonly unknown[],
    repair: (transaction: Transaction, rows: Row[]) => Promise<Row[]>,
  ): Promise<Row[]> {
    return this.#persist(async (client, failures) => failures === 0
      ? this.#select<Row>(client, statement, values)
      : this.#inTransaction(client, async (transaction) => repair(transaction, await transaction.query<Row>(statement, values))));
  }

  /** Waits for calls under way. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pool.end();
  }

  async #persist<T>(use: (client: PoolClient, failures: number) => Promise<T>): Promise<T> {
    const attempt = async (failures: number): Promise<T> => {
      if (this.#closed) throw new StoreError(StoreReason.StoreClosed, 'The store was closed');
      try {
        return await this.#lend(async (client) => use(client, failures));
      } catch (error) {
        throw toStoreError(error);
      }
    };
    return persist(attempt, { isTransient: (error) => error instanceof StoreError && error.transient, giveUpMs: this.#giveUpMs });
  }

  async #connect(): Promise<PoolClient> {
    const server = this.#servers.current;
    try {
      return await this.#pool.connect();
    } catch (error) {
      this.#servers.pass(server);
      throw error;
    }
  }

  async #lend<T>(use: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken = false;
    try {
      return await use(client);
    } catch (error) {
      broken = breaksConnection(error);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #inTransaction<T>(client: ClientBase, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    await client.query('BEGIN');
    try {
      const result = await work({
        query: async (statement, values = []) => this.#select(client, statement, values),
        script: async (sql) => {
          await client.query(`SET LOCAL statement_timeout = ${SCRIPT_MS}`);
          await client.query({ text: sql, query_timeout: SCRIPT_MS } as QueryConfig);
        },
      });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      // A broken connection takes its transaction with it.
      if (!breaksConnection(error)) await client.query('ROLLBACK');
      throw error;
    }
  }

  async #select<Row extends object>(client: ClientBase, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const start = patience.elapsed();
    try {
      const { rows } = await client.query<Row>({ ...statement, values: [...values] });
      this.#observer.statement(statement.name, patience.elapsed() - start);
      return rows;
    } catch (error) {
      this.#observer.statement(statement.name, patience.elapsed() - start, toStoreError(error).code);
      throw error;
    }
  }
}

const parsers = new TypeOverrides();
// bigint: counts, milliseconds and epochs are far below 2^53.
parsers.setTypeParser(types.builtins.INT8, Number);

/** What every connection of Millrace has in common. */
export function connectionConfig(options: ConnectionOptions): ClientConfig {
  return {
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    query_timeout: SILENCE_MS,
    types: parsers,
    // A statement is planned once for each connection: to plan the largest anew with each call, as PostgreSQL would, costs more than to execute them. One
    // that was planned while a table was all but empty would read all of it for as long as the connection lives; every statement here has an index to go by.
    options: '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off',
  };
}
