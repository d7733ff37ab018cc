import type { Item } from '../../runner/engine/item.ts';
import type { WorkflowDefinition, WorkflowNode, WorkflowSettings } from '../../runner/engine/workflow.ts';
import type { Execution } from '../../store/executions.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import { migrate, openStore, type Store } from '../../store/store.ts';
import { startEffectServer, type EffectServer } from '../doubles/effect-server.ts';
import { until } from '../eventually.ts';
import { startPostgres, type Postgres, type PostgresOptions } from '../postgres/postgres.ts';
import { startRunner, type RunnerPlace, type RunnerProcess } from './runner-process.ts';

/** A database, a server that counts what nodes do to the world, and runners in processes of their own. */
export interface RunnerFixture {
  postgres: Postgres;
  /** Of the database. */
  url: string;
  store: Store;
  effects: EffectServer;
  runner(env?: Record<string, string>, place?: RunnerPlace): Promise<RunnerProcess>;
  /** Makes a definition callable and active, and gives its name. */
  deploy(definition: WorkflowDefinition): Promise<string>;
  submit(workflow: string, more?: Partial<EnqueueRequest>): Promise<string>;
  ended(id: string): Promise<Execution>;
  /** Once there are so many executions of a workflow, all of them ended. */
  allEnded(workflow: string, count: number): Promise<Execution[]>;
  /** The JSON of the first output of a node's last run. */
  jsonOf(id: string, node: string): Promise<unknown[]>;
  killRunners(): Promise<void>;
  stop(): Promise<void>;
}

const ENDS: readonly string[] = ['Succeeded', 'Failed', 'Canceled'];
const NAMESPACE = 'test';

/** Nodes one after the other, beginning with `Start`. */
export function chain(name: string, nodes: readonly WorkflowNode[], more: { settings?: WorkflowSettings; start?: string } = {}): WorkflowDefinition {
  const { start = 'manualTrigger', settings } = more;
  const all = [{ name: 'Start', type: start }, ...nodes];
  return {
    id: `${NAMESPACE}/${name}`, name, nodes: all, ...(settings && { settings }),
    connections: nodes.map((node, i) => ({ from: all[i]?.name ?? '', output: 0, to: node.name, input: 0, type: 'main' })),
  };
}

export const code = (name: string, jsCode: string): WorkflowNode => ({ name, type: 'code', parameters: { jsCode } });

export interface FixtureOptions {
  postgres?: PostgresOptions;
  /** Where runners find database and effects. Default: loopback. */
  address?: string;
}

function at(url: string, address = '127.0.0.1'): string {
  return url.replace('127.0.0.1', address);
}

export async function startRunnerFixture(options: FixtureOptions = {}): Promise<RunnerFixture> {
  const [postgres, effects] = await Promise.all([startPostgres(options.postgres), startEffectServer(0, options.address)]);
  const url = await postgres.database();
  await migrate({ url, applicationName: 'test' });
  const store = await openStore({ url, applicationName: 'test' });
  const runners: RunnerProcess[] = [];

  async function ended(id: string): Promise<Execution> {
    return until(async () => {
      const execution = await store.executions.get(id);
      return execution && ENDS.includes(execution.status) ? execution : undefined;
    }, { withinMs: 90_000 });
  }
  async function killRunners(): Promise<void> {
    await Promise.all(runners.splice(0).map((runner) => runner.kill()));
  }

  return {
    postgres, url, store, effects, ended, killRunners,
    async runner(env = {}, place) {
      const started = await startRunner(at(url, options.address), env, place);
      runners.push(started);
      return started;
    },
    async deploy(definition) {
      const key = { namespace: NAMESPACE, workflow: definition.name, uid: `uid-${definition.name}` };
      const { revision } = await store.revisions.put({ ...key, definition });
      await store.routes.apply({ ...key, active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [] });
      return definition.name;
    },
    async submit(workflow, more = {}) {
      const items: Item[] = [{ json: {} }];
      const [accepted] = await store.queue.enqueue([{ namespace: NAMESPACE, workflow, mode: 'Api', trigger: { node: 'Start', items }, ...more }]);
      if (!accepted?.accepted) throw new Error(`not accepted: ${JSON.stringify(accepted)}`);
      return accepted.id;
    },
    async allEnded(workflow, count) {
      return until(async () => {
        const { executions } = await store.executions.list({ namespace: NAMESPACE, workflow, limit: 50 });
        return executions.length >= count && executions.every(({ status }) => ENDS.includes(status)) ? executions : undefined;
      }, { withinMs: 90_000 });
    },
    async jsonOf(id, node) {
      const runs = await store.executions.nodeRuns(id, { node });
      return (runs.at(-1)?.outputs[0] ?? []).map(({ json }) => json);
    },
    async stop() {
      await killRunners();
      await store.close();
      await Promise.all([postgres.stop(), effects.close()]);
    },
  };
}
