import { fork, type ChildProcess } from 'node:child_process';
import type { Sample } from './kube-worker.ts';

/** `kube-worker.ts` as a process of its own. */
export interface KubeWorker {
  sample(): Promise<Sample>;
  end(): Promise<void>;
}

/** @param server A kubeconfig, or the URL of a proxy. */
export function startKubeWorker(server: string, namespace: string): KubeWorker {
  const worker: ChildProcess = fork('test/integration/kube-worker.ts', [server, namespace], { execArgv: ['--expose-gc', '--max-semi-space-size=4'] });
  return {
    sample: () => new Promise((resolve) => {
      worker.once('message', (message) => resolve(message as Sample));
      worker.send('sample');
    }),
    async end() {
      if (worker.exitCode !== null) return;
      const ended = new Promise((resolve) => { worker.once('exit', resolve); });
      if (worker.connected) worker.disconnect();
      await ended;
    },
  };
}

/** What a widget carries so that it is as large as a workflow of twelve nodes, about 6 KB. */
export function ballast(i: number): object[] {
  return Array.from({ length: 12 }, (_, n) => ({
    name: `Node ${n}`,
    type: ['if', 'set', 'httpRequest'][n % 3],
    position: [n * 240, 0],
    parameters: { url: `https://example.com/${i}/${n}`, conditions: [{ left: `={{ $json.total${n} }}`, op: 'gt', right: i }], text: `lorem ipsum dolor sit amet ${i} ${n} `.repeat(6) },
    retry: { max: 3, backoff: 'exponential' },
  }));
}
