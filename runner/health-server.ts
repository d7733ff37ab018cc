import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/** `/healthz` (the process lives), `/readyz` (it can take work) and `/metrics`, on one port without authentication. */
export function healthServer(port: number, registry: Registry, ready: () => boolean): Promise<Server> {
  const server = createServer((request, response) => {
    switch (request.url) {
      case '/healthz':
        response.end('ok');
        break;
      case '/readyz':
        response.writeHead(ready() ? 200 : 503).end(ready() ? 'ok' : 'not ready');
        break;
      case '/metrics':
        registry.metrics().then(
          (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
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
