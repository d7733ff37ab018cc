import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What other people's systems see of effectful nodes: an HTTP server that counts, and that can keep callers waiting. */
export interface EffectServer {
  readonly url: string;
  /** Requests received per path, in order of arrival. */
  requests(path: string): { headers: IncomingMessage['headers'] }[];
  /** From now on requests to this path are received and counted but not answered. */
  hold(path: string): void;
  /** Answers those that wait, and all to come. */
  release(path: string): void;
  close(): Promise<void>;
}

export async function startEffectServer(): Promise<EffectServer> {
  const received = new Map<string, { headers: IncomingMessage['headers'] }[]>();
  const held = new Map<string, (() => void)[]>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://double').pathname;
    received.set(path, [...(received.get(path) ?? []), { headers: request.headers }]);
    const answer = (): void => {
      if (!response.destroyed) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ path, count: received.get(path)?.length }));
    };
    request.resume();
    const waiting = held.get(path);
    if (waiting) waiting.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: (path) => received.get(path) ?? [],
    hold: (path) => void held.set(path, held.get(path) ?? []),
    release: (path) => {
      const waiting = held.get(path) ?? [];
      held.delete(path);
      for (const answer of waiting) answer();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
