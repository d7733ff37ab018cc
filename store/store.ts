import { randomUUID } from 'node:crypto';
import { patience, persist } from './backoff.ts';
import type { Binaries } from './binaries.ts';
import { type CircuitRecords, createCircuits } from './circuits.ts';
import { type Connections, Database, type Statement } from './database.ts';
import { DatabaseClock } from './database-clock.ts';
import { type DatabaseLoad, databaseLoad } from './database-load.ts';
import { toStoreError } from './database-error.ts';
import { createDeadLetters, type DeadLetters } from './dead-letters.ts';
import { checkDurability } from './durability.ts';
import { StoreError, StoreReason } from './error.ts';
import { executionIds } from './execution-id.ts';
import { createExecutions, type Executions } from './executions.ts';
import { DEFAULT_RETENTION_DAYS } from './history-days.ts';
import { createIsolated, type IsolatedExecutions } from './isolated.ts';
import { createListeners, type Listeners } from './listeners.ts';
import { applyMigrations, checkSchema } from './migrate.ts';
import { NotificationConnection, type Notifications } from './notifications.ts';
import { NO_OBSERVER, type StoreObserver } from './observer.ts';
import { type Overview, overview } from './overview.ts';
import { createPartitions, type Partitions } from './partitions.ts';
import { createPoolSizes, type PoolSizeRecords } from './pool-sizes.ts';
import { openObjects } from './objects/open.ts';
import type { ObjectStorageSettings } from './objects/object-storage.ts';
import { createPodSteps, type PodSteps } from './pod-steps.ts';
import { createPools, type Pools } from './pools.ts';
import { createQueue } from './queue/create-queue.ts';
import type { Queue } from './queue.ts';
import { type Replies, ReplyBox } from './replies.ts';
import { loadResumeTokens, type ResumeTokens } from './resume-tokens.ts';
import { createRevisions, type Revisions } from './revisions.ts';
import type { Routes } from './route.ts';
import { createRoutes } from './routes.ts';
import { createSchedules, type Schedules } from './schedules.ts';
import { createStaticData, type StaticDataStore } from './static-data.ts';
import { sweep } from './sweep.ts';

export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface MigrateOptions {
  /** `postgres://…`. Never logged. */
  url: string;
  /** Shown in pg_stat_activity, such as `millrace-api`. */
  applicationName: string;
  log?: StoreLog;
  /** How long to wait for PostgreSQL, and in `openStore` for the schema to be migrated. Default 0: fail at once. */
  waitMs?: number;
}

export interface StoreOptions extends MigrateOptions {
  /** Connections besides the one that listens. Default 8. */
  poolSize?: number;
  /** Fail (default) or only warn when PostgreSQL may forget committed work. */
  durability?: 'Require' | 'Warn';
  /** Keeps files and large payloads. Default: PostgreSQL does. */
  objectStorage?: ObjectStorageSettings | undefined;
  observer?: StoreObserver;
}

export interface Health {
  ok: boolean;
  /** Round trip in milliseconds. */
  latencyMs: number;
  /** Code of what is wrong. */
  code?: StoreReason;
}

export interface Store {
  readonly revisions: Revisions;
  readonly routes: Routes;
  readonly schedules: Schedules;
  readonly queue: Queue;
  readonly pools: Pools;
  readonly partitions: Partitions;
  readonly podSteps: PodSteps;
  readonly isolated: IsolatedExecutions;
  readonly poolSizes: PoolSizeRecords;
  readonly deadLetters: DeadLetters;
  readonly executions: Executions;
  readonly binaries: Binaries;
  readonly circuits: CircuitRecords;
  readonly listeners: Listeners;
  readonly replies: Replies;
  readonly notifications: Notifications;
  readonly resumeTokens: ResumeTokens;
  readonly staticData: StaticDataStore;
  /** The database's clock, estimated: milliseconds since the epoch. The engine's `now` on runners. */
  now(): number;
  /** Answers within 2 seconds. */
  health(): Promise<Health>;
  /** Code of what is wrong with the object storage: files and large payloads that are in it cannot be read now. */
  objectStorageProblem(): StoreReason | undefined;
  /** How much is in the database. */
  overview(): Promise<Overview>;
  databaseLoad(): Promise<DatabaseLoad>;
  connections(): Connections;
  /** Housekeeping, any number of replicas, every minute: ends dead leases, forgets what is not to be kept, and finished executions after so many days (default 14). */
  sweep(retentionDays?: number): Promise<void>;
  /** Removes what no row names from the object storage, if there is one: any number of replicas, now and then. Resolves to how many objects that were. */
  pruneObjects(retentionDays?: number): Promise<number>;
  close(): Promise<void>;
}

const SILENT: StoreLog = { info: () => undefined, warn: () => undefined };
const CLOCK_MS = 30_000;
const HEALTH_MS = 2000;
const PING: Statement = { name: 'ping', text: 'SELECT 1' };

function openDatabase({ url, applicationName, poolSize = 8, log = SILENT, observer = NO_OBSERVER }: StoreOptions, giveUpMs?: number): Database {
  const onBroken = (error: Error): void => { log.warn({ code: toStoreError(error).code }, 'Lost an idle database connection'); };
  return new Database({ url, applicationName, poolSize, onBroken, observer, ...(giveUpMs !== undefined && { giveUpMs }) });
}

/** What may become right by waiting: PostgreSQL starts, or the migration is under way. */
function isWorthWaiting(error: unknown): boolean {
  return error instanceof StoreError && (error.transient || error.code === StoreReason.SchemaOutdated);
}

/** Runs `use` on a connection of its own until it succeeds or `waitMs` are over. */
async function waitFor<T>(options: MigrateOptions, use: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase({ ...options, poolSize: 1 }, 0);
  try {
    return await persist(async () => use(database), { isTransient: isWorthWaiting, giveUpMs: options.waitMs ?? 0 });
  } finally {
    await database.close();
  }
}

async function check(options: StoreOptions): Promise<void> {
  const { durability = 'Require', log = SILENT } = options;
  const gaps = await waitFor(options, async (database) => {
    await checkSchema(database);
    return checkDurability(database);
  });
  if (gaps.length === 0) return;
  if (durability === 'Warn') log.warn({ code: StoreReason.DurabilityOff, settings: gaps }, 'PostgreSQL may forget acknowledged work');
  else throw new StoreError(StoreReason.DurabilityOff, `PostgreSQL may forget acknowledged work: turn on ${gaps.join(', ')}`);
}

/** Connects, and checks schema and durability. Throws a StoreError. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { log = SILENT } = options;
  await check(options);
  const objects = await openObjects(options);
  const { payloads } = objects;
  const database = openDatabase(options);
  const warn = (error: unknown): void => { log.warn({ code: toStoreError(error).code }, 'The store is not available'); };
  const notifications = new NotificationConnection({ url: options.url, applicationName: `${options.applicationName} listen`, onBroken: warn });
  try {
    const clock = new DatabaseClock(database, patience.elapsed);
    for (let n = 0; n < 3; n += 1) await clock.read();
    const resumeTokens = await loadResumeTokens(database);
    await objects.own(resumeTokens.of('object storage'));
    const timer = setInterval(() => { clock.read().catch(warn); }, CLOCK_MS).unref();
    const queue = createQueue({ database, notifications, nextId: executionIds(() => clock.now()), observer: options.observer ?? NO_OBSERVER, payloads, onUnreadable: objects.onUnreadable });
    const replies = new ReplyBox({ database, address: randomUUID(), onError: warn });
    const stopReplies = await replies.start(notifications);
    return {
      notifications, replies, resumeTokens,
      revisions: createRevisions(database),
      routes: createRoutes({ database, notifications, onError: warn }),
      schedules: createSchedules(database),
      queue,
      pools: createPools(database, notifications),
      partitions: createPartitions({ database, notifications, queue }),
      podSteps: createPodSteps(database, notifications),
      isolated: createIsolated(database),
      poolSizes: createPoolSizes(database),
      deadLetters: createDeadLetters(database, notifications, payloads),
      executions: createExecutions(database, payloads),
      binaries: objects.binaries(database),
      circuits: createCircuits(database, notifications),
      listeners: createListeners(database),
      staticData: createStaticData(database),
      now: () => clock.now(),
      health: async () => health(database),
      objectStorageProblem: () => objects.problem(),
      overview: async () => overview(database),
      databaseLoad: async () => databaseLoad(database),
      connections: () => database.connections,
      async sweep(retentionDays = DEFAULT_RETENTION_DAYS) {
        await queue.reap();
        await sweep(database, retentionDays);
      },
      pruneObjects: async (retentionDays = DEFAULT_RETENTION_DAYS) => objects.prune({ database, now: () => clock.now() }, retentionDays),
      async close() {
        clearInterval(timer);
        await stopReplies();
        await notifications.close();
        await database.close();
        objects.close();
      },
    };
  } catch (error) {
    await notifications.close();
    await database.close();
    objects.close();
    throw error;
  }
}

async function health(database: Database): Promise<Health> {
  const start = patience.elapsed();
  const code = await Promise.race([
    database.query(PING).then(() => undefined, (error: unknown) => toStoreError(error).code),
    new Promise<StoreReason>((resolve) => { setTimeout(resolve, HEALTH_MS, StoreReason.StoreTimeout).unref(); }),
  ]);
  return { ok: code === undefined, latencyMs: patience.elapsed() - start, ...(code && { code }) };
}

/** Brings the schema to this version's state; several processes at once are safe. Resolves to the names of the migrations it applied. */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  return waitFor(options, applyMigrations);
}
