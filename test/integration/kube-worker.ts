/**
 * A process with a controller of widgets that copies spec.size to status.seen, and reports what it costs: it answers each message with a
 * `Sample`. Arguments: a kubeconfig or the URL of a proxy, and a namespace. Run it with --expose-gc.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Manager, connect, objectReconciler, patches, reads, watch, writesStatus } from '../../operator/kube/index.ts';
import { ConfigMap, Secret, Service } from '../../operator/kube/builtin.ts';
import { silentLog } from '../../operator/kube/log.ts';
import { Widget } from './kube-widget.ts';

export interface Sample {
  objects: number;
  passes: number;
  /** Requests that write. */
  writes: number;
  lists: number;
  /** Open sockets of the process. */
  sockets: number;
  /** Megabytes after a garbage collection. */
  heapMb: number;
  rssMb: number;
  /** Since the process started, until all caches were filled; 0 before. */
  syncedMs: number;
}

const [server = '', namespace = ''] = process.argv.slice(2);
const cluster = server.startsWith('http')
  ? await connect({ credentials: async () => ({ server, namespace, tls: {}, headers: {} }) })
  : await connect({ kubeconfig: server });
let writes = 0;
let lists = 0;
cluster.observers.add(({ method }) => {
  if (method !== 'GET' && method !== 'WATCH') writes += 1;
  if (method === 'GET') lists += 1;
});
const manager = new Manager({ cluster, log: silentLog, fieldManager: 'worker' });
const cache = manager.cache(Widget, { namespace });
for (const resource of [ConfigMap, Secret, Service]) manager.cache(resource, { namespace });
let passes = 0;
manager.control({
  name: 'widget',
  rbac: [...reads(Widget), ...writesStatus(Widget), ...patches(Widget)],
  watches: [watch(cache)],
  concurrency: 16,
  reconcile: objectReconciler({
    manager,
    cache,
    ready: ['Sized'],
    async reconcile(widget, pass) {
      passes += 1;
      pass.status.seen = widget.spec.size ?? 0;
      pass.mark('Sized', 'True', 'Measured', 'measured');
      return {};
    },
  }),
});

let syncedMs = 0;
void cache.whenSynced().then(() => {
  syncedMs = performance.now();
});

async function sample(): Promise<Sample> {
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc?.();
    await delay(20);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { objects: cache.size, passes, writes, lists, sockets: openSockets(), heapMb: heapUsed / 1e6, rssMb: rss / 1e6, syncedMs };
}

function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith('socket:')).length;
}

/** A descriptor may close between listing and looking. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err;
    return '';
  }
}

process.on('message', () => {
  void sample().then((result) => process.send?.(result));
});
const stop = new AbortController();
process.on('disconnect', () => stop.abort());
await manager.run(stop.signal);
await cluster.close();
