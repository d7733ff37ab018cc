import { silentLog } from '../../operator/kube/log.ts';
import { startServer } from '../server.ts';
import type { ApiServer, ServerParts } from '../server.ts';
import { FakeCluster } from './fake-cluster.ts';
import { MemoryStore } from './memory-store.ts';

export interface TestServer extends ApiServer {
  url: string;
  memory: MemoryStore;
  cluster: FakeCluster;
}

/** An api on loopback with small limits. */
export async function startTestServer(limits: Partial<ServerParts['config']['limits']> = {}, memory = new MemoryStore()): Promise<TestServer> {
  const cluster = new FakeCluster();
  const server = await startServer({
    store: memory.store, cluster, log: silentLog, version: '0.0.0',
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    config: {
      baseUrl: 'https://flows.example', port: 0, healthPort: 0, audiences: [], proxyHops: 0, drainMs: 2000,
      limits: { bodyBytes: 10_000, fileBytes: 5_000_000, bodyBytesInFlight: 20_000_000, webhooksInFlight: 10, responseMs: 5000, requestMs: 5000, userRequestsPerSecond: 1000, ...limits },
    },
  });
  return { ...server, url: `http://127.0.0.1:${server.port}`, memory, cluster };
}
