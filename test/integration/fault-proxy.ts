import { createServer } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Credentials, CredentialSource } from '../../operator/kube/credentials.ts';

/** What a request is for. */
export type Traffic = 'list' | 'watch' | 'get' | 'write';

/** What is done to a request instead of passing it on unharmed. */
export type Fault =
  /** An answer of our own; the API server is not asked. */
  | { answer: { status: number; body?: object | string; headers?: Record<string, string> } }
  /** The connection breaks before there is an answer. */
  | { reset: true }
  /** The answer passes until so many events (lines) have gone, harm: */
  | { afterEvents: number; harm: 'reset' | 'cutLine' | 'garbage' | 'end' | 'silence' | { event: object } }
  /** The query is changed on the way, such as to an old resource version. */
  | { query: Record<string, string> }
  /** The request is held back. */
  | { delayMs: number };

export interface FaultRule {
  on: Traffic;
  /** How often; default once. */
  times?: number;
  /** Lets so many matching requests pass first. */
  skip?: number;
  fault: Fault;
}

export interface ProxiedRequest {
  traffic: Traffic;
  method: string;
  url: URL;
  /** Milliseconds, monotonic. */
  at: number;
}

/** An HTTP proxy in front of a real API server that breaks what it is told to. */
export interface FaultProxy {
  /** Credentials of a client that goes through the proxy with the rights of the upstream credentials. */
  readonly credentials: CredentialSource;
  /** Adds a rule; rules are tried in the order of their adding. */
  inject(rule: FaultRule): void;
  /** How many rules have not been used up. */
  pending(on: Traffic): number;
  readonly requests: readonly ProxiedRequest[];
  /** Connections that clients hold. */
  readonly connections: number;
  /** Breaks every connection. */
  resetAll(): void;
  close(): Promise<void>;
}

interface ActiveRule extends FaultRule {
  left: number;
  toSkip: number;
}

export async function startFaultProxy(upstream: Credentials): Promise<FaultProxy> {
  const { tls, headers } = upstream;
  const agent = new Agent({ keepAlive: true, ca: tls.ca, cert: tls.cert, key: tls.key, servername: tls.serverName ?? '' });
  const rules: ActiveRule[] = [];
  const requests: ProxiedRequest[] = [];
  const sockets = new Set<ServerResponse['socket']>();

  function take(traffic: Traffic): Fault | undefined {
    for (const rule of rules.filter(({ on }) => on === traffic)) {
      if (rule.toSkip > 0) {
        rule.toSkip -= 1;
        continue;
      }
      rule.left -= 1;
      if (rule.left === 0) rules.splice(rules.indexOf(rule), 1);
      return rule.fault;
    }
    return undefined;
  }

  function forward(request: IncomingMessage, response: ServerResponse, url: URL, fault: Fault | undefined): void {
    const target = new URL(url.pathname + url.search, upstream.server);
    const { host: _host, connection: _connection, ...passed } = request.headers;
    const outgoing = httpsRequest(target, { method: request.method, headers: { ...passed, ...headers }, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      if (fault && 'afterEvents' in fault) breakOff(answer, response, fault);
      else answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    request.pipe(outgoing);
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://proxy');
    const traffic = trafficOf(request.method ?? 'GET', url);
    requests.push({ traffic, method: request.method ?? 'GET', url, at: performance.now() });
    const fault = take(traffic);
    if (fault && 'reset' in fault) response.destroy();
    else if (fault && 'answer' in fault) answerWith(response, fault.answer);
    else if (fault && 'delayMs' in fault) setTimeout(() => forward(request, response, url, undefined), fault.delayMs);
    else {
      if (fault && 'query' in fault) for (const [name, value] of Object.entries(fault.query)) url.searchParams.set(name, value);
      forward(request, response, url, fault);
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    credentials: async () => ({ server: `http://127.0.0.1:${String(port)}`, namespace: 'default', tls: {}, headers: {} }),
    inject: (rule) => void rules.push({ ...rule, left: rule.times ?? 1, toSkip: rule.skip ?? 0 }),
    pending: (on) => rules.filter((rule) => rule.on === on).length,
    requests,
    get connections() {
      return sockets.size;
    },
    resetAll() {
      for (const socket of sockets) socket?.resetAndDestroy();
    },
    async close() {
      for (const socket of sockets) socket?.destroy();
      agent.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function trafficOf(method: string, url: URL): Traffic {
  if (method !== 'GET') return 'write';
  if (url.searchParams.has('watch')) return 'watch';
  return url.searchParams.has('limit') ? 'list' : 'get';
}

function answerWith(response: ServerResponse, { status, body = '', headers = {} }: Extract<Fault, { answer: object }>['answer']): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Passes whole lines until so many have gone, then does the harm, in the middle of the next line where that makes a difference. */
function breakOff(answer: IncomingMessage, response: ServerResponse, { afterEvents, harm }: Extract<Fault, { afterEvents: number }>): void {
  let left = afterEvents;
  let rest = Buffer.alloc(0);
  let done = false;
  answer.on('data', (chunk: Buffer) => {
    if (done) return;
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end !== -1 && !done; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end + 1);
      rest = rest.subarray(end + 1);
      if (left > 0) {
        left -= 1;
        response.write(line);
      } else {
        done = true;
        doHarm(response, line, harm);
      }
    }
  });
  answer.on('end', () => response.end());
}

function doHarm(response: ServerResponse, line: Buffer, kind: Extract<Fault, { afterEvents: number }>['harm']): void {
  if (kind === 'silence') return;
  if (kind === 'end') response.end();
  else if (kind === 'cutLine') response.end(line.subarray(0, Math.floor(line.length / 2)));
  else if (kind === 'garbage') response.write('{"type":"ADDED","object":{]\n');
  else if (kind === 'reset') response.write(line.subarray(0, Math.floor(line.length / 2)), () => response.socket?.resetAndDestroy());
  else response.end(`${JSON.stringify(kind.event)}\n`);
}
