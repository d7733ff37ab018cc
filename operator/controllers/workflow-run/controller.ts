import { RunPhase } from '../../../crds/workflow-run.ts';
import { coalesce } from '../../../store/coalesce.ts';
import { RejectReason } from '../../../store/request.ts';
import type { Store } from '../../../store/store.ts';
import { timestamp } from '../../kube/clock.ts';
import type { Cache, Key, Manager, ObjectPass, Pass, Result } from '../../kube/index.ts';
import { StalledError, WaitingError, anyChange, findCondition, keyOf, objectReconciler, reads, toIndex, watch, writesStatus } from '../../kube/index.ts';
import type { Needs } from '../needs.ts';
import type { PoolAccess } from '../pool-access.ts';
import { reconcileRequest } from '../reconcile-request.ts';
import { EXECUTION_ANNOTATION } from '../labels.ts';
import { Workflow, WorkflowRun } from '../resources.ts';
import { enqueueRequest } from './enqueue-request.ts';
import type { ExecutionTracker } from './execution-tracker.ts';
import { isExpired, watchExpiries } from './expiry.ts';
import type { RunReport } from './outcome.ts';
import { conditionsOf, isFinal, reportOf } from './outcome.ts';

export const workflowRunNeeds: Needs = {
  everywhere: [...reads(WorkflowRun, Workflow), ...writesStatus(WorkflowRun), { apiGroups: [WorkflowRun.group], resources: [WorkflowRun.plural], verbs: ['delete'] }],
  home: [],
};

export interface WorkflowRunControllerOptions {
  manager: Manager;
  store: Pick<Store, 'queue'>;
  tracker: ExecutionTracker;
  pools: PoolAccess;
  /** Absent: everywhere. */
  namespace?: string;
}

/** When nothing announces what is waited for. */
const SAFETY_MS = 60_000;

/** Index of runs that have no execution yet, by the key of their Workflow. */
const UNSTARTED = 'unstarted';
const unstartedBy = ({ metadata, spec, status }: WorkflowRun): string[] => (status?.executionId === undefined && metadata.annotations?.[EXECUTION_ANNOTATION] === undefined ? [`${metadata.namespace ?? ''}/${spec.workflowRef.name}`] : []);

/**
 * Enqueues one execution for each WorkflowRun and tells in its status what becomes of it. Returns what starts the watch over runs that
 * are to be deleted, which returns what stops it.
 */
export function workflowRunController({ manager, store, tracker, pools, namespace }: WorkflowRunControllerOptions): () => () => void {
  const scope = namespace === undefined ? {} : { namespace };
  const runs: Cache<WorkflowRun> = manager.cache(WorkflowRun, { ...scope, indexes: { [UNSTARTED]: unstartedBy } });
  const workflows: Cache<Workflow> = manager.cache(Workflow, scope);
  const client = manager.client(WorkflowRun);
  const enqueue = coalesce(store.queue.enqueue, { concurrency: 2, max: 200 });

  const reconcile = objectReconciler<WorkflowRun>({
    manager,
    cache: runs,
    ready: ['Complete'],
    async reconcile(run, pass) {
      Object.assign(pass.status, reconcileRequest(run), { phase: run.status?.phase ?? RunPhase.Pending });
      const report = isFinal(run.status?.phase) ? (run.status ?? {}) : await observe(run, pass);
      Object.assign(pass.status, report);
      if (isFinal(report.phase)) tracker.forget(pass.key);
      return conclude(report, pass);
    },
  });

  const controller = manager.control({
    name: namespace === undefined ? 'workflowrun' : `workflowrun-${namespace}`,
    rbac: workflowRunNeeds.everywhere,
    watches: [watch(runs), watch(workflows, { to: toIndex(runs, UNSTARTED, keyOf), when: anyChange }), tracker.watch],
    concurrency: 16,
    async reconcile(key, pass) {
      const run = runs.get(key);
      if (run === undefined || run.metadata.deletionTimestamp !== undefined) return await abandon(key);
      if (!isExpired(run, manager.clock.now())) return await reconcile(key, pass);
      await client.delete(key, { uid: run.metadata.uid, signal: pass.signal });
      return {};
    },
  });

  return () => watchExpiries(runs, manager.clock, (key) => controller.enqueue(key));

  /** What has become of the execution; enqueues it first when there is none. */
  async function observe(run: WorkflowRun, pass: Pass): Promise<RunReport> {
    const made = run.metadata.annotations?.[EXECUTION_ANNOTATION];
    const id = run.status?.executionId ?? made ?? (run.spec.cancel === true ? undefined : await start(run));
    if (id === undefined) {
      return { phase: RunPhase.Canceled, finishedAt: timestamp(manager.clock.now()), failure: { code: 'ExecutionCanceled', message: 'canceled before it was queued' } };
    }
    const execution = await tracker.follow(pass.key, id);
    // A person may write the annotation too: it gives no rights over executions of other workflows.
    if (made !== undefined && (execution?.namespace !== run.metadata.namespace || execution?.workflow !== run.spec.workflowRef.name)) {
      tracker.forget(pass.key);
      throw new StalledError('ExecutionNotFound', { message: `Workflow ${run.spec.workflowRef.name} has no execution ${id}` });
    }
    if (run.spec.cancel === true) await store.queue.cancel([id]);
    if (execution === undefined) {
      throw new StalledError('ExecutionNotFound', { message: `the history has no execution ${id} any more: what became of it is not known` });
    }
    return reportOf(execution);
  }

  async function start(run: WorkflowRun): Promise<string> {
    const workflow = workflows.get(`${run.metadata.namespace ?? ''}/${run.spec.workflowRef.name}`);
    if (run.spec.workflowRef.revision === undefined && workflow !== undefined && isBehind(workflow)) {
      throw new WaitingError('WorkflowNotPublished', { afterMs: SAFETY_MS, message: `waits until the last change of Workflow ${workflow.metadata.name} is published` });
    }
    const refusal = run.spec.runnerPool === undefined ? undefined : pools.refusal(run.spec.runnerPool, run.metadata.namespace ?? '');
    if (refusal !== undefined) throw new StalledError('RunnerPoolNotAllowed', { message: refusal });
    const enqueued = await enqueue(enqueueRequest(run));
    if (enqueued.accepted) return enqueued.id;
    throw rejection(enqueued.reason, run, workflow);
  }

  /** The run is gone; nobody is left to hear of its execution. */
  async function abandon(key: Key): Promise<Result> {
    const id = tracker.forget(key);
    if (id !== undefined) await store.queue.cancel([id]);
    return {};
  }
}

function isBehind({ metadata, spec, status }: Workflow): boolean {
  return spec.suspend !== true && status?.observedGeneration !== metadata.generation;
}

function rejection(reason: RejectReason, run: WorkflowRun, workflow: Workflow | undefined): Error {
  const { name } = run.spec.workflowRef;
  switch (reason) {
    case RejectReason.RevisionNotFound:
      return new StalledError(reason, { message: `Workflow ${name} has no stored revision ${run.spec.workflowRef.revision ?? ''}; create a run of one that it has` });
    case RejectReason.WorkflowInactive:
      return new StalledError(reason, { message: `Workflow ${name} is not active: set its spec.active, or create a run with mode Manual` });
    case RejectReason.ConcurrencyLimit:
    case RejectReason.RateLimited:
    case RejectReason.QueueFull:
      return new WaitingError(reason, { afterMs: SAFETY_MS, message: `Workflow ${name} or its pool takes no more executions for now; the run starts when it does` });
    default: {
      const message = workflow === undefined
        ? `there is no Workflow ${name} in this namespace; the run starts when it appears`
        : `Workflow ${name} is not published yet: ${findCondition(workflow, 'Ready')?.message ?? 'it has not been looked at'}`;
      return new WaitingError(workflow === undefined ? 'WorkflowNotFound' : 'WorkflowNotPublished', { afterMs: SAFETY_MS, message });
    }
  }
}

function conclude(report: RunReport, pass: ObjectPass<WorkflowRun>): Result {
  const { complete, failed, stalled } = conditionsOf(report);
  pass.mark('Complete', complete.status, complete.reason, complete.message);
  if (failed !== undefined) pass.mark('Failed', failed.status, failed.reason, failed.message);
  if (stalled !== undefined) throw new StalledError(stalled.reason, { message: stalled.message });
  return {};
}
