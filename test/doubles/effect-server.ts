import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What other people's systems see of effectful nodes: an HTTP server that counts, and that can keep callers waiting. */
export interface EffectServer {
  readonly url: string;
  /** Headers of the requests received per path, in order of arrival. */
  requests(path: string): IncomingHttpHeaders[];
  /** From now on requests to this path are received and counted but not answered. */
  hold(path: string): void;
  /** Answers those that wait, and all to come. */
  release(path: string): void;
  close(): Promise<void>;
}

/** Paths that steer the double from outside: `GET /_requests?path=…`, `POST /_hold?path=…`, `POST /_release?path=…`. */
const CONTROL = { requests: '/_requests', hold: '/_hold', release: '/_release' };

/** Listens on loopback, or on the given address and port. */
export async function startEffectServer(port = 0, address = '127.0.0.1'): Promise<EffectServer> {
  const received = new Map<string, IncomingHttpHeaders[]>();
  const held = new Map<string, (() => void)[]>();
  const requests = (path: string): IncomingHttpHeaders[] => received.get(path) ?? [];
  const hold = (path: string): void => void held.set(path, held.get(path) ?? []);
  const release = (path: string): void => {
    const waiting = held.get(path) ?? [];
    held.delete(path);
    for (const answer of waiting) answer();
  };
  const json = (response: ServerResponse, value: unknown): void => {
    if (!response.destroyed) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://double');
    const path = searchParams.get('path') ?? '';
    request.resume();
    switch (pathname) {
      case CONTROL.requests:
        return json(response, requests(path));
      case CONTROL.hold:
        return json(response, hold(path) ?? {});
      case CONTROL.release:
        return json(response, release(path) ?? {});
    }
    received.set(pathname, [...requests(pathname), request.headers]);
    const answer = (): void => json(response, { path: pathname, count: requests(pathname).length });
    const waiting = held.get(pathname);
    return waiting ? void waiting.push(answer) : answer();
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    requests, hold, release,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
