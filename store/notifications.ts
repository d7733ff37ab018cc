import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier, type QueryConfig } from 'pg';
import { backoffMs } from './backoff.ts';
import { type ConnectionOptions, connectionConfig } from './database.ts';
import { toStoreError } from './database-error.ts';
import { StoreError, StoreReason } from './error.ts';
import { isIsolated } from './pool-name.ts';
import { checkPrimary, Servers } from './servers.ts';

/** A message: why it came and, if it was sent by somebody, what they sent. */
export type Notification =
  | { kind: 'message'; payload: string }
  /** The connection was made or made anew: look for yourself what was missed. */
  | { kind: 'connected' };

export type NotificationHandler = (notification: Notification) => void;

/** PostgreSQL channel names. */
export const channel = {
  /** Work arrived in a pool. No payload. Idle runners also look once a second. */
  work: (pool: string): string => (isIsolated(pool) ? channel.isolated : `millrace_work_${shortened(pool)}`),
  /** Executions wait for pods of their own, in whatever pool. No payload. Also look now and then. */
  isolated: 'millrace_isolated',
  /** Comma-separated messages about replies to the replica with that address; see reply-message.ts. */
  reply: (address: string): string => `millrace_reply_${address}`,
  /** `namespace/workflow` of a changed route. */
  routes: 'millrace_routes',
  /** Comma-separated ids of finished executions that a WorkflowRun asked for. Also list now and then: a message may get lost. */
  finished: 'millrace_finished',
  /** Executions wait for new pods. No payload. Also look now and then. */
  pods: 'millrace_pods',
  /** Circuits were opened or closed. No payload. Also look now and then. */
  circuits: 'millrace_circuits',
  /** Comma-separated ids of executions that were canceled while they ran. `renew` says it too. */
  canceled: 'millrace_canceled',
} as const;

/** Names of channels have at most 63 bytes. */
function shortened(pool: string): string {
  return pool.length <= 40 ? pool : `${pool.slice(0, 24)}_${createHash('sha256').update(pool).digest('hex').slice(0, 16)}`;
}

/** One connection of its own for LISTEN and NOTIFY; made anew with backoff for as long as the store is open. */
export interface Notifications {
  /** Resolves once listening, after a `connected`, to a function that stops it. While PostgreSQL is away it resolves when it is back. */
  on(channel: string, handler: NotificationHandler): Promise<() => Promise<void>>;
  /**
   * Sends after what it is about was committed. What waits for the same channel is gathered into one payload, joined by commas. Never
   * fails: when the connection is down the message is dropped, and receivers find out by looking.
   */
  send(channel: string, payload?: string): void;
}

/** A connection that is silent for so long is asked whether it is still there. */
const PROBE_MS = 10_000;
/** PostgreSQL takes payloads below 8,000 bytes. */
const MAX_PAYLOAD = 7900;

/** Joins texts by commas into as few payloads as possible. */
export function joinPayloads(texts: Iterable<string>): string[] {
  const payloads: string[] = [];
  let last = '';
  for (const text of texts) {
    if (last !== '' && last.length + text.length >= MAX_PAYLOAD) {
      payloads.push(last);
      last = '';
    }
    last = last === '' ? text : `${last},${text}`;
  }
  return [...payloads, last];
}

export class NotificationConnection implements Notifications {
  readonly #options: ConnectionOptions & { onBroken(error: Error): void };
  readonly #handlers = new Map<string, Set<NotificationHandler>>();
  readonly #outbox = new Map<string, Set<string>>();
  readonly #servers: Servers;
  readonly #closing = new AbortController();
  #client: Client | undefined;
  /** Settles when the connection in the making is there. */
  #connected: Promise<void> | undefined;
  #sending = false;
  /** Settles after the last query. Never rejects. */
  #queries: Promise<void> = Promise.resolve();

  constructor(options: ConnectionOptions & { onBroken(error: Error): void }) {
    this.#options = options;
    this.#servers = new Servers(options.url);
  }

  async on(channel: string, handler: NotificationHandler): Promise<() => Promise<void>> {
    const handlers = this.#handlers.get(channel) ?? new Set();
    this.#handlers.set(channel, handlers.add(handler));
    await this.#listenTo(channel);
    handler({ kind: 'connected' });
    return async () => {
      handlers.delete(handler);
      if (handlers.size > 0 || this.#handlers.get(channel) !== handlers) return;
      this.#handlers.delete(channel);
      if (this.#client) await this.#query(this.#client, { text: `UNLISTEN ${escapeIdentifier(channel)}` }).catch(this.#options.onBroken);
    };
  }

  send(channel: string, payload = ''): void {
    if (this.#closing.signal.aborted) return;
    const payloads = this.#outbox.get(channel) ?? new Set();
    this.#outbox.set(channel, payloads.add(payload));
    if (this.#sending) return;
    this.#sending = true;
    setImmediate(() => { void this.#drain(); });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#handlers.clear();
    this.#outbox.clear();
    await this.#connected?.catch(() => undefined);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(this.#options.onBroken);
  }

  /** A connection that breaks meanwhile is followed by one that listens to every channel with a handler. */
  async #listenTo(channel: string): Promise<void> {
    for (;;) {
      await this.#connect();
      const client = this.#client;
      if (client === undefined) continue;
      try {
        return await this.#listen(client, [channel]);
      } catch (error) {
        if (this.#client === client) throw toStoreError(error);
      }
    }
  }

  /** What arrives while a message is under way goes out with the next. */
  async #drain(): Promise<void> {
    try {
      await this.#connect();
      while (this.#outbox.size > 0 && this.#client !== undefined) {
        const messages = [...this.#outbox].flatMap(([channel, texts]) => joinPayloads(texts).map((payload) => ({ channel, payload })));
        this.#outbox.clear();
        await this.#query(this.#client, {
          name: 'notify', text: 'SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS message(channel, payload)',
          values: [messages.map(({ channel }) => channel), messages.map(({ payload }) => payload)],
        });
      }
    } catch (error) {
      this.#outbox.clear();
      if (!this.#closing.signal.aborted) this.#options.onBroken(toStoreError(error));
    } finally {
      this.#sending = false;
    }
  }

  async #connect(): Promise<void> {
    if (this.#client !== undefined) return;
    this.#connected ??= this.#reconnect().finally(() => { this.#connected = undefined; });
    await this.#connected;
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      const url = this.#servers.current;
      const client = new Client(connectionConfig({ ...this.#options, url }));
      client.on('error', (error) => { this.#lose(client, error); });
      client.on('end', () => { this.#lose(client, undefined); });
      client.on('notification', ({ channel, payload = '' }) => { this.#deliver(channel, { kind: 'message', payload }); });
      try {
        await client.connect();
        if (this.#servers.several) await checkPrimary(client);
        // A NOTIFY holds a lock on the whole database until its commit is on disk; these commits hold nothing that must not get lost.
        await this.#query(client, { text: 'SET synchronous_commit = off' });
        await this.#listen(client, [...this.#handlers.keys()]);
        this.#client = client;
        this.#probe(client);
        return;
      } catch (error) {
        failures += 1;
        this.#servers.pass(url);
        await client.end().catch(this.#options.onBroken);
        if (failures === 1) this.#options.onBroken(toStoreError(error));
        await sleep(backoffMs(failures, Math.random), undefined, { signal }).catch(() => undefined);
      }
    }
    throw new StoreError(StoreReason.StoreClosed, 'The store was closed');
  }

  async #listen(client: Client, channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return;
    await this.#query(client, { text: channels.map((channel) => `LISTEN ${escapeIdentifier(channel)}`).join('; ') });
  }

  /** One after the other, as the driver wants it. */
  async #query(client: Client, query: QueryConfig & { query_timeout?: number }): Promise<void> {
    const previous = this.#queries;
    const current = previous.then(async () => { await client.query(query); });
    this.#queries = current.catch(() => undefined);
    await current;
  }

  /** TCP notices a peer that vanished only after minutes; a query that is not answered in time breaks the connection. */
  #probe(client: Client): void {
    const timer = setInterval(() => {
      this.#query(client, { text: 'SELECT 1', query_timeout: PROBE_MS }).catch((error: unknown) => {
        this.#lose(client, toStoreError(error));
        client.connection.stream.destroy();
      });
    }, PROBE_MS).unref();
    client.once('end', () => { clearInterval(timer); });
  }

  #lose(client: Client, error: Error | undefined): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    if (this.#closing.signal.aborted) return;
    this.#options.onBroken(toStoreError(error ?? new Error('Connection terminated')));
    this.#connect().then(
      () => { for (const channel of this.#handlers.keys()) this.#deliver(channel, { kind: 'connected' }); },
      (reason: unknown) => { if (!this.#closing.signal.aborted) this.#options.onBroken(toStoreError(reason)); },
    );
  }

  #deliver(channel: string, notification: Notification): void {
    for (const handler of this.#handlers.get(channel) ?? []) handler(notification);
  }
}
