import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Registry } from 'prom-client';

export interface HealthState {
  /** False: only a restart helps. */
  live: boolean;
  ready: boolean;
  /** For people. */
  problems: readonly string[];
}

/** `/healthz`, `/readyz` and `/metrics`, without authentication. Resolves once it listens. */
export function healthServer(port: number, registry: Registry, health: () => HealthState): Promise<Server> {
  const server = createServer((request, response) => {
    const { live, ready, problems } = health();
    const text = problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n`;
    switch (request.url) {
      case '/healthz':
        response.writeHead(live ? 200 : 503).end(text);
        break;
      case '/readyz':
        response.writeHead(ready ? 200 : 503).end(text);
        break;
      case '/metrics':
        registry.metrics().then(
          (metrics) => response.writeHead(200, { 'content-type': registry.contentType }).end(metrics),
          () => response.writeHead(500).end(),
        );
        break;
      default:
        response.writeHead(404).end();
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}
