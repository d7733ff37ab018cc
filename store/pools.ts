import type { Database, Statement } from './database.ts';
import { channel, type Notifications } from './notifications.ts';
import { storableText } from './payload.ts';
import { ISOLATED, isolatedPool } from './pool-name.ts';

/** What a RunnerPool says of its queue. Absent: no limit, or the default. */
export interface PoolRules {
  /** Work is accepted and waits; nothing is claimed. */
  paused?: boolean;
  /** Executions that run at once over all runners of the pool. */
  maxRunning?: number;
  /** Executions that may wait. Default 1,000,000. */
  maxQueued?: number;
  /** As above, of any one namespace. */
  namespaceMaxRunning?: number;
  namespaceMaxQueued?: number;
  /** An execution that took a runner or executor down so often becomes a dead letter. Default 3. */
  maxCrashes?: number;
}

export interface PoolState extends PoolRules {
  name: string;
  /** Paused by an administrator, whatever the RunnerPool says. */
  held: boolean;
}

/** How pools let themselves be used. */
export interface Pools {
  /** What the RunnerPool says now; replaces what it said before. Resolves to whether something was different. */
  apply(name: string, rules: PoolRules): Promise<boolean>;
  /** Pauses a pool, its executions with pods of their own too, or ends that pause; one that its RunnerPool asks for goes on. */
  hold(name: string, held: boolean): Promise<PoolState>;
  get(name: string): Promise<PoolState | undefined>;
  /** Those that somebody has set something for, by name. */
  list(): Promise<PoolState[]>;
}

interface Row {
  name: string;
  paused: boolean;
  held: boolean;
  max_running: number | null;
  max_queued: number | null;
  namespace_max_running: number | null;
  namespace_max_queued: number | null;
  max_crashes: number | null;
}

const COLUMNS = 'name, paused, held, max_running, max_queued, namespace_max_running, namespace_max_queued, max_crashes';
const RULES = 'paused, max_running, max_queued, namespace_max_running, namespace_max_queued, max_crashes';

const APPLY: Statement = {
  name: 'pool-apply',
  text: `
    INSERT INTO millrace.pool AS p (name, ${RULES}) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (name) DO UPDATE SET (${RULES}) = (SELECT EXCLUDED.paused, EXCLUDED.max_running, EXCLUDED.max_queued, EXCLUDED.namespace_max_running,
      EXCLUDED.namespace_max_queued, EXCLUDED.max_crashes)
    WHERE (p.paused, p.max_running, p.max_queued, p.namespace_max_running, p.namespace_max_queued, p.max_crashes) IS DISTINCT FROM
      (EXCLUDED.paused, EXCLUDED.max_running, EXCLUDED.max_queued, EXCLUDED.namespace_max_running, EXCLUDED.namespace_max_queued, EXCLUDED.max_crashes)
    RETURNING name`,
};

const HOLD: Statement = {
  name: 'pool-hold',
  text: `INSERT INTO millrace.pool (name, held) SELECT unnest($1::text[]), $2 ON CONFLICT (name) DO UPDATE SET held = EXCLUDED.held RETURNING ${COLUMNS}`,
};

const GET: Statement = { name: 'pool-get', text: `SELECT ${COLUMNS} FROM millrace.pool WHERE name = $1` };
const LIST: Statement = { name: 'pool-list', text: `SELECT ${COLUMNS} FROM millrace.pool WHERE name NOT LIKE '%${ISOLATED}' ORDER BY name` };

function toState(row: Row): PoolState {
  return {
    name: row.name, held: row.held, paused: row.paused,
    ...(row.max_running !== null && { maxRunning: row.max_running }),
    ...(row.max_queued !== null && { maxQueued: row.max_queued }),
    ...(row.namespace_max_running !== null && { namespaceMaxRunning: row.namespace_max_running }),
    ...(row.namespace_max_queued !== null && { namespaceMaxQueued: row.namespace_max_queued }),
    ...(row.max_crashes !== null && { maxCrashes: row.max_crashes }),
  };
}

export function createPools(database: Database, notifications: Notifications): Pools {
  return {
    async apply(name, { paused = false, maxRunning, maxQueued, namespaceMaxRunning, namespaceMaxQueued, maxCrashes }) {
      const rows = await database.query(APPLY, [
        storableText(name), paused, maxRunning ?? null, maxQueued ?? null, namespaceMaxRunning ?? null, namespaceMaxQueued ?? null, maxCrashes ?? null,
      ]);
      // What is allowed now may be more than before.
      if (rows.length > 0) notifications.send(channel.work(name));
      return rows.length > 0;
    },
    async hold(name, held) {
      const names = [storableText(name), isolatedPool(storableText(name))];
      const row = (await database.query<Row>(HOLD, [names, held])).find((each) => each.name === names[0]);
      for (const each of names) notifications.send(channel.work(each));
      return row === undefined ? { name, held } : toState(row);
    },
    async get(name) {
      const [row] = await database.query<Row>(GET, [storableText(name)]);
      return row && toState(row);
    },
    async list() {
      return (await database.query<Row>(LIST)).map(toState);
    },
  };
}
