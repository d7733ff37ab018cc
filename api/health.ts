import type { RequestListener } from 'node:http';
import type { Registry } from 'prom-client';

export interface HealthOptions {
  /** What keeps this replica from serving, in words; empty when nothing does. */
  problems: () => Promise<readonly string[]>;
  registry: Registry;
  /** Aborted when the server stops: not ready any more, so that no new requests come. */
  stopping: AbortSignal;
}

/** The private port: /healthz (the process answers), /readyz (it can serve) and /metrics. */
export function healthListener({ problems, registry, stopping }: HealthOptions): RequestListener {
  const answers: Record<string, () => Promise<{ status: number; type: string; body: string }>> = {
    '/healthz': async () => text(200, 'ok'),
    '/readyz': async () => {
      const found = stopping.aborted ? ['stopping'] : await problems();
      return found.length === 0 ? text(200, 'ok') : text(503, found.join('\n'));
    },
    '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  };
  return (request, response) => {
    const answer = answers[request.url?.split('?', 1)[0] ?? ''] ?? (async () => text(404, 'not found'));
    answer().catch((error: unknown) => text(500, error instanceof Error ? error.message : 'failed')).then(({ status, type, body }) => {
      response.writeHead(status, { 'content-type': type });
      response.end(body);
    }, () => response.destroy());
  };
}

function text(status: number, body: string) {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}
