/**
 * One replica of a controller, as a process of its own that can be killed. Appends a line to a file for each thing it does:
 * "<what> <identity> <milliseconds> [<resource version>]"; a write has the resource version that the server gave to it.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Manager, connect, watch } from '../../operator/kube/index.ts';
import { ConfigMap } from '../../operator/kube/builtin.ts';
import { silentLog } from '../../operator/kube/log.ts';

const [server = '', identity = '', namespace = '', file = ''] = process.argv.slice(2);
const note = (what: string, version = ''): void => appendFileSync(file, `${what} ${identity} ${Date.now()} ${version}\n`);

const cluster = server.startsWith('http')
  ? await connect({ credentials: async () => ({ server, namespace, tls: {}, headers: {} }) })
  : await connect({ kubeconfig: server });
const manager = new Manager({
  cluster,
  log: silentLog,
  fieldManager: 'replica',
  leaderElection: { namespace, name: 'replicas', identity, leaseMs: 3000, renewMs: 2000, retryMs: 400 },
});
const maps = manager.cache(ConfigMap, { namespace, labelSelector: 'work=yes' });
const client = manager.client(ConfigMap);
manager.control({
  name: 'work',
  rbac: [],
  watches: [watch(maps)],
  async reconcile(key, { signal }) {
    note('start');
    await delay(100, undefined, { signal }).catch(() => {});
    if (!signal.aborted) {
      const { metadata } = await client.patch(key, { merge: { data: { by: identity, at: String(performance.now()) } } }, { signal });
      note('write', metadata.resourceVersion);
    }
    note('end');
    return { requeueAfterMs: 10 };
  },
});

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
note('up');
try {
  await manager.run(stop.signal);
  note('stopped');
  await cluster.close();
} catch {
  note('lost');
  process.exit(1);
}
