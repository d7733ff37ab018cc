import { Agent, ProxyAgent, errors } from 'undici';
import { sleep } from './clock.ts';
import { deadline } from './deadline.ts';
import { KubeError, TransportReason, malformed } from './errors.ts';
import { statusError } from './status-error.ts';
import type { Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import type { Cluster, Exchange, Impersonation, Query, RequestOptions, StreamOptions } from './cluster.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import type { Deadline } from './deadline.ts';
import type { Log } from './log.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Credentials are read again when they are older than this; client-go takes the same minute. */
const CREDENTIALS_MAX_AGE_MS = 60_000;
const CONNECTIONS = 32;
/** How often one request is repeated when the server asks for it with Retry-After. */
const MAX_THROTTLED = 3;

interface Pool {
  credentials: Credentials;
  readAt: number;
  /** What the connections depend on; when it changes, they are opened anew. */
  fingerprint: string;
  requests: Dispatcher;
  /** Apart from requests, because each watch holds a connection for as long as it runs. */
  streams: Dispatcher;
}

interface TransportOptions {
  source: CredentialSource;
  clock: Clock;
  log: Log;
  userAgent: string;
}

interface Send {
  path: string;
  method: Dispatcher.HttpMethod;
  headers: Record<string, string | string[]>;
  body?: string;
  signal: AbortSignal;
  /** Longest silence, in milliseconds. */
  silenceMs: number;
  stream: boolean;
}

/** One pooled HTTP/1.1 transport per cluster. HTTP/1.1, because one connection per watch means that one that hangs harms no other. */
export class Transport implements Cluster {
  readonly observers = new Set<(exchange: Exchange) => void>();
  readonly #options: TransportOptions;
  #pool: Pool | undefined;
  #refreshing: Promise<Pool> | undefined;

  private constructor(options: TransportOptions) {
    this.#options = options;
  }

  static async open(options: TransportOptions): Promise<Transport> {
    const transport = new Transport(options);
    await transport.#refresh(false);
    return transport;
  }

  get namespace(): string {
    return this.#pool?.credentials.namespace ?? 'default';
  }

  async request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const { clock } = this.#options;
    const method = options.method ?? 'GET';
    using limit = deadline(clock, options.timeoutMs ?? DEFAULT_TIMEOUT_MS, options.signal);
    const send: Send = {
      path: withQuery(path, options.query),
      method,
      headers: { accept: options.accept ?? 'application/json', ...impersonation(options.asUser) },
      signal: limit.signal,
      silenceMs: 0,
      stream: false,
    };
    if (options.body !== undefined) {
      send.body = JSON.stringify(options.body);
      send.headers['content-type'] = options.contentType ?? 'application/json';
    }
    for (let throttled = 0; ; throttled += 1) {
      try {
        const answer = await this.#send(send);
        return receive(answer, await answer.body.text(), { ...options, request: `${method} ${path}` }) as T;
      } catch (err) {
        const failure = this.#failure(err, `${method} ${path}`, limit, options.signal);
        if (failure.status !== 429 || failure.retryAfterMs === undefined || throttled === MAX_THROTTLED) throw failure;
        await sleep(clock, failure.retryAfterMs * (1 + clock.random() / 4), limit.signal);
        if (limit.signal.aborted) throw failure;
      }
    }
  }

  async stream(path: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>> {
    const request = `GET ${path}`;
    try {
      const answer = await this.#send({
        path: withQuery(path, options.query),
        method: 'GET',
        headers: { accept: options.accept ?? 'application/json' },
        signal: options.signal,
        silenceMs: options.idleMs,
        stream: true,
      });
      if (answer.statusCode >= 400) {
        const body = lenientParse(await answer.body.text());
        throw statusError({ status: answer.statusCode, body, retryAfter: header(answer, 'retry-after'), request });
      }
      return this.#chunks(answer.body, request, options.signal);
    } catch (err) {
      throw this.#failure(err, request, undefined, options.signal);
    }
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    if (pool) await Promise.all([pool.requests.close(), pool.streams.destroy()]);
  }

  async *#chunks(body: AsyncIterable<Uint8Array>, request: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
    try {
      yield* body;
    } catch (err) {
      throw this.#failure(err, request, undefined, signal);
    }
  }

  /** One answer with any status; on 401 once more with fresh credentials, on a connection that the server had closed once more. */
  async #send(send: Send): Promise<Dispatcher.ResponseData> {
    const startedAt = this.#options.clock.monotonic();
    let status = 0;
    try {
      let answer = await this.#sendOnce(send, await this.#current());
      if (answer.statusCode === 401) {
        await answer.body.dump();
        answer = await this.#sendOnce(send, await this.#refresh(true));
      }
      status = answer.statusCode;
      return answer;
    } finally {
      const ms = this.#options.clock.monotonic() - startedAt;
      for (const observe of this.observers) observe({ method: send.stream ? 'WATCH' : send.method, status, ms });
    }
  }

  async #sendOnce(send: Send, pool: Pool): Promise<Dispatcher.ResponseData> {
    const url = new URL(pool.credentials.server);
    const dispatch = (): Promise<Dispatcher.ResponseData> =>
      (send.stream ? pool.streams : pool.requests).request({
        origin: url.origin,
        path: `${url.pathname.replace(/\/$/, '')}${send.path}`,
        method: send.method,
        headers: { 'user-agent': this.#options.userAgent, ...pool.credentials.headers, ...send.headers },
        body: send.body ?? null,
        signal: send.signal,
        headersTimeout: send.stream ? DEFAULT_TIMEOUT_MS : 0,
        bodyTimeout: send.silenceMs,
      });
    try {
      return await dispatch();
    } catch (err) {
      // A connection that was idle may have been closed by the server just as it was used; only reading is safe to repeat blindly.
      if (send.method !== 'GET' || !(err instanceof errors.SocketError)) throw err;
      return await dispatch();
    }
  }

  #failure(err: unknown, request: string, limit: Deadline | undefined, signal: AbortSignal | undefined): KubeError {
    if (err instanceof KubeError) return err;
    // The caller's own signal: its reason is what the caller expects to see.
    if (signal?.aborted) throw signal.reason;
    const late = limit?.expired === true || err instanceof errors.BodyTimeoutError || err instanceof errors.HeadersTimeoutError;
    if (late) return new KubeError({ status: 0, reason: TransportReason.Deadline, message: `${request}: no complete answer in time`, cause: err });
    return new KubeError({ status: 0, reason: TransportReason.Unreachable, message: `${request}: ${describe(err)}`, cause: err });
  }

  async #current(): Promise<Pool> {
    const pool = this.#pool;
    if (pool && this.#options.clock.monotonic() - pool.readAt < CREDENTIALS_MAX_AGE_MS) return pool;
    return await this.#refresh(false);
  }

  /** Reads the credentials, once for all who wait. */
  #refresh(rejected: boolean): Promise<Pool> {
    this.#refreshing ??= this.#load(rejected).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #load(rejected: boolean): Promise<Pool> {
    const { source, clock, log } = this.#options;
    const before = this.#pool;
    using limit = deadline(clock, DEFAULT_TIMEOUT_MS);
    let credentials: Credentials;
    try {
      credentials = await source({ signal: limit.signal, rejected });
    } catch (cause) {
      const message = `the credentials of the cluster cannot be read: ${describe(cause)}`;
      if (!before || rejected) throw new KubeError({ status: 0, reason: TransportReason.Credentials, message, cause });
      // A file that is just being replaced; those in hand may be good for a while yet.
      log.warn({ err: cause }, 'Kept the previous credentials, the new ones could not be read');
      before.readAt = clock.monotonic();
      return before;
    }
    const fingerprint = JSON.stringify([credentials.server, credentials.tls, credentials.proxyUrl]);
    const pool: Pool = { ...(before?.fingerprint === fingerprint ? before : dispatchers(credentials)), credentials, readAt: clock.monotonic(), fingerprint };
    this.#pool = pool;
    if (before && before.requests !== pool.requests) {
      log.info({ server: credentials.server }, 'Opened new connections, the certificates or the server changed');
      // Both wait for what runs on them; a watch ends by itself within its time limit.
      before.requests.close().catch((err: unknown) => log.debug({ err }, 'Closed old connections'));
      before.streams.close().catch((err: unknown) => log.debug({ err }, 'Closed old connections'));
    }
    return pool;
  }
}

function dispatchers({ tls, proxyUrl }: Credentials): Pick<Pool, 'requests' | 'streams'> {
  const connect = {
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key,
    servername: tls.serverName,
    rejectUnauthorized: tls.insecure !== true,
    timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
  };
  const shared = { allowH2: false, pipelining: 1, keepAliveTimeout: 30_000 };
  const open = (connections: number | null): Dispatcher =>
    proxyUrl === undefined
      ? new Agent({ ...shared, connections, connect: { ...connect, allowH2: false } })
      : new ProxyAgent({ ...shared, connections, uri: proxyUrl, requestTls: connect });
  return { requests: open(CONNECTIONS), streams: open(null) };
}

function withQuery(path: string, query: Query = {}): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') text.set(name, String(value));
  return text.size === 0 ? path : `${path}?${text.toString()}`;
}

function impersonation(asUser: Impersonation | undefined): Record<string, string | string[]> {
  if (!asUser) return {};
  return {
    'impersonate-user': asUser.user,
    ...(asUser.uid === undefined ? {} : { 'impersonate-uid': asUser.uid }),
    ...(asUser.groups === undefined ? {} : { 'impersonate-group': asUser.groups }),
    ...Object.fromEntries(Object.entries(asUser.extra ?? {}).map(([name, values]) => [`impersonate-extra-${encodeURIComponent(name.toLowerCase())}`, values])),
  };
}

/** The JSON of an answer. Throws KubeError when it tells of a failure. */
function receive(answer: Dispatcher.ResponseData, text: string, { request, onText, onWarning }: Pick<RequestOptions, 'onText' | 'onWarning'> & { request: string }): unknown {
  if (onWarning) warningsOf(answer).forEach(onWarning);
  if (answer.statusCode >= 400) throw statusError({ status: answer.statusCode, body: lenientParse(text), retryAfter: header(answer, 'retry-after'), request });
  onText?.(text);
  return parse(text, request);
}

/** The texts of `Warning: 299 - "text"`. */
function warningsOf(answer: Dispatcher.ResponseData): string[] {
  const lines = [answer.headers['warning'] ?? []].flat().join(', ');
  return [...lines.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));
}

function header(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function parse(text: string, request: string): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    if (!(err instanceof SyntaxError)) throw err;
    // Not as the cause: its message quotes the answer, which may be a Secret.
    throw malformed(`${request}: the answer is not JSON`);
  }
}

/** The body of a failure, which a proxy may have written: its text when it is not JSON. */
function lenientParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    if (!(err instanceof SyntaxError)) throw err;
    return { message: text.slice(0, 200) };
  }
}

function describe(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  const code = 'code' in err && typeof err.code === 'string' && !err.message.includes(err.code) ? ` (${err.code})` : '';
  return `${err.message === '' ? err.name : err.message}${code}`;
}
