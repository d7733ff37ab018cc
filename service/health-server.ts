import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

export interface Health {
  /** False: only a restart helps. */
  live: boolean;
  /** False: send nothing here. */
  ready: boolean;
  /** Why, for people. */
  problems: readonly string[];
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

function text(status: number, problems: readonly string[]): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n` };
}

/**
 * The private port of a role: `/healthz` (it lives), `/readyz` (it can serve) and `/metrics`, without authentication. Resolves
 * once it listens.
 */
export function healthServer(port: number, registry: Registry, health: () => Health | Promise<Health>): Promise<Server> {
  const answers: Record<string, () => Promise<Answer>> = {
    '/healthz': async () => {
      const { live, problems } = await health();
      return text(live ? 200 : 503, problems);
    },
    '/readyz': async () => {
      const { ready, problems } = await health();
      return text(ready ? 200 : 503, problems);
    },
    '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  };
  const server = createServer((request, response) => {
    const answer = answers[request.url?.split('?', 1)[0] ?? ''] ?? (async () => text(404, ['not found']));
    answer().catch((error: unknown) => text(500, [error instanceof Error ? error.message : 'failed'])).then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.destroy(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}
