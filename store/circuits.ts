import type { Database, Statement } from './database.ts';
import { channel, type Notifications } from './notifications.ts';

/** Which circuit: a host, with its port when that is not the scheme's own, as the workflows of one namespace see it. */
export interface CircuitKey {
  namespace: string;
  host: string;
}

/** A circuit that is not closed. Times are milliseconds since the epoch, of the database's clock. */
export interface OpenCircuit extends CircuitKey {
  openedAt: number;
  /** Not before then is one request let through. */
  retryAt: number;
  /** Times in a row that it was opened. */
  trips: number;
  /** What was seen when it was opened first. */
  requests: number;
  failures: number;
}

/** Circuits that all runners share. Every change is told on `channel.circuits`. */
export interface CircuitRecords {
  /** Opens a circuit; one that is open stays as it is. */
  open(circuit: CircuitKey & { pauseMs: number; requests: number; failures: number }): Promise<void>;
  /** Asks for the one request that shows whether the host is well again; of all who ask, one gets it until `holdMs` are over. */
  probe(circuit: CircuitKey & { holdMs: number }): Promise<boolean>;
  /** That request failed: `trips` is the new number of times. */
  reopen(circuit: CircuitKey & { pauseMs: number; trips: number }): Promise<void>;
  close(circuit: CircuitKey): Promise<void>;
  /** Those that are not closed, the latest first; at most 10,000. */
  list(): Promise<OpenCircuit[]>;
}

const OPEN: Statement = {
  name: 'circuit-open',
  text: `
    INSERT INTO millrace.circuit (namespace, host, retry_at, requests, failures)
    VALUES ($1, $2, now() + $3::float8 * interval '1 millisecond', $4, $5) ON CONFLICT DO NOTHING`,
};

const PROBE: Statement = {
  name: 'circuit-probe',
  text: `
    UPDATE millrace.circuit SET retry_at = now() + $3::float8 * interval '1 millisecond'
    WHERE namespace = $1 AND host = $2 AND retry_at <= now() RETURNING host`,
};

const REOPEN: Statement = {
  name: 'circuit-reopen',
  text: `
    UPDATE millrace.circuit SET retry_at = now() + $3::float8 * interval '1 millisecond', trips = $4
    WHERE namespace = $1 AND host = $2 AND trips < $4`,
};

const CLOSE: Statement = { name: 'circuit-close', text: 'DELETE FROM millrace.circuit WHERE namespace = $1 AND host = $2' };

const LIST: Statement = {
  name: 'circuit-list',
  text: `
    SELECT namespace, host, trips, requests, failures,
      (extract(epoch FROM opened_at) * 1000)::float8 AS "openedAt", (extract(epoch FROM retry_at) * 1000)::float8 AS "retryAt"
    FROM millrace.circuit ORDER BY retry_at DESC LIMIT 10000`,
};

export function createCircuits(database: Database, notifications: Pick<Notifications, 'send'>): CircuitRecords {
  return {
    async open({ namespace, host, pauseMs, requests, failures }) {
      await database.query(OPEN, [namespace, host, pauseMs, requests, failures]);
      notifications.send(channel.circuits);
    },
    async probe({ namespace, host, holdMs }) {
      const won = await database.query(PROBE, [namespace, host, holdMs]);
      if (won.length > 0) notifications.send(channel.circuits);
      return won.length > 0;
    },
    async reopen({ namespace, host, pauseMs, trips }) {
      await database.query(REOPEN, [namespace, host, pauseMs, trips]);
      notifications.send(channel.circuits);
    },
    async close({ namespace, host }) {
      await database.query(CLOSE, [namespace, host]);
      notifications.send(channel.circuits);
    },
    list: async () => database.query<OpenCircuit>(LIST),
  };
}
