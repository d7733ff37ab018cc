import { Health, Informer, connect, kstatus, silentLog, systemClock } from '../../operator/kube/index.ts';
import type { CommonStatus, KubeObject } from '../../operator/kube/index.ts';
import { RunnerPool, Workflow, WorkflowRun } from '../../operator/controllers/resources.ts';

/** Watches every object of our kinds in a cluster, through whatever happens to it. */
export interface HealthWatch {
  /** Each state in which an object counted as healthy with a status of an older generation. There must be none. */
  readonly violations: readonly string[];
  /** States seen so far. */
  readonly seen: number;
  stop(): Promise<void>;
}

/** Asserts of a whole test what Flux, Argo CD and Helm rely on: no object is ever Current with a stale generation. */
export async function watchHealth(kubeconfig: string): Promise<HealthWatch> {
  const cluster = await connect({ kubeconfig });
  const stopping = new AbortController();
  const violations: string[] = [];
  let seen = 0;
  const check = (object: KubeObject<unknown, CommonStatus> | undefined): void => {
    if (object === undefined) return;
    seen += 1;
    const { kind, metadata: { namespace, name, generation }, status } = object;
    if (kstatus(object) === Health.Current && status?.observedGeneration !== generation) violations.push(`${kind} ${namespace}/${name} of generation ${generation}: ${JSON.stringify(status)}`);
  };
  const running = [Workflow, WorkflowRun, RunnerPool].map(async (resource) => {
    const informer = new Informer<KubeObject<unknown, CommonStatus>>(resource, {}, { cluster, clock: systemClock, log: silentLog });
    informer.cache.subscribe(({ after }) => check(after));
    const run = informer.run(stopping.signal);
    await informer.cache.whenSynced();
    return run;
  });
  return {
    violations,
    get seen() { return seen; },
    async stop() {
      stopping.abort();
      await Promise.all(running);
      await cluster.close();
    },
  };
}
