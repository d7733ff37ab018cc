import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { respondsImmediately } from '../../runner/engine/webhook-response.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { Keep, type SavePolicy, type WebhookTrigger } from '../../store/route.ts';
import { migrate, openStore, type Store } from '../../store/store.ts';
import { freePort } from '../cluster/free-port.ts';
import { until } from '../eventually.ts';
import type { Postgres } from '../postgres/postgres.ts';
import { startRole, type Role } from './role.ts';

/** What a pod of each role is, as processes of this machine: one api and one runner, on a database of their own. */
export interface MillraceSystem {
  readonly api: Role;
  readonly runner: Role;
  /** Of the bench itself, to look and to queue work without a trigger. */
  readonly store: Store;
  readonly databaseUrl: string;
  /** Stores an active workflow, as the operator does. Resolves to the URL of its webhook. */
  publish(workflow: WorkflowDefinition, options?: { save?: SavePolicy }): Promise<string>;
  /** Stops the runner; `startRunner` goes on with another. */
  stopRunner(): Promise<void>;
  startRunner(): Promise<Role>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SystemOptions {
  postgres: Postgres;
  /** Executor processes of the runner. */
  executors: number;
  /** More environment of the runner. */
  runnerEnv?: Record<string, string>;
}

/** The namespace of every workflow of a bench. */
export const NAMESPACE = 'bench';

/** Rejects with the output of the role that does not start; what was started is stopped then. */
export async function startSystem({ postgres, executors, runnerEnv = {} }: SystemOptions): Promise<MillraceSystem> {
  await using stack = new AsyncDisposableStack();
  const databaseUrl = await postgres.database();
  await migrate({ url: databaseUrl, applicationName: 'bench' });
  const store = stack.adopt(await openStore({ url: databaseUrl, applicationName: 'bench', poolSize: 2 }), (open) => open.close());
  const directory = stack.adopt(await mkdtemp(join(tmpdir(), 'millrace-bench-')), (path) => rm(path, { recursive: true, force: true }));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, unusedCluster);
  const port = await freePort();
  const shared = { MILLRACE_DATABASE_URL: databaseUrl, MILLRACE_BASE_URL: `http://127.0.0.1:${port}` };

  async function startRunner(): Promise<Role> {
    const health = await freePort();
    const env = { ...shared, MILLRACE_HEALTH_PORT: String(health), MILLRACE_EXECUTORS: String(executors), POD_NAME: 'runner-0', ...runnerEnv };
    return startRole('runner/main.ts', env, () => answers(health));
  }
  let runner = await startRunner();
  stack.defer(() => runner.stop());
  const health = await freePort();
  const api = await startRole('api/main.ts', {
    ...shared, MILLRACE_PORT: String(port), MILLRACE_HEALTH_PORT: String(health), POD_NAME: 'api-0', KUBECONFIG: kubeconfig,
  }, () => answers(health));
  stack.defer(() => api.stop());
  const owned = stack.move();

  return {
    api, store, databaseUrl,
    get runner() { return runner; },
    publish: async (workflow, { save = { success: Keep.All, failure: Keep.All } } = {}) => {
      const name = workflow.id.replace(`${NAMESPACE}/`, '');
      const key = { namespace: NAMESPACE, workflow: name, uid: name };
      const { revision } = await store.revisions.put({ ...key, definition: workflow });
      const triggers = webhooksOf(workflow);
      await store.routes.apply({ ...key, active: true, stable: revision, pool: 'default', priority: 5, save, triggers });
      const hook = `http://127.0.0.1:${port}/webhook/${NAMESPACE}/${triggers[0]?.path ?? ''}`;
      // The api hears of a route a moment later; a call by another method than the webhook's starts nothing.
      if (triggers.length > 0) await until(async () => (await fetch(hook)).status === 405);
      return hook;
    },
    stopRunner: () => runner.stop(),
    startRunner: async () => {
      runner = await startRunner();
      return runner;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Webhooks ask no API server; the api only wants to know where one would be. */
const unusedCluster = JSON.stringify({
  apiVersion: 'v1', kind: 'Config', 'current-context': 'none',
  clusters: [{ name: 'none', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'none', user: {} }],
  contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
});

function webhooksOf({ nodes }: WorkflowDefinition): WebhookTrigger[] {
  return nodes.filter(({ type }) => type === 'webhook').map((node) => ({
    kind: 'Webhook', node: node.name, method: 'POST', path: String(node.parameters?.['path']), options: {},
    responseMode: respondsImmediately(node) ? 'onReceived' : 'lastNode',
  }));
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}
