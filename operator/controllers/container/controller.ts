import type { ContainerResult } from '../../../runner/engine/container.ts';
import { readContainerSpec } from '../../../runner/nodes/container/container-spec.ts';
import type { ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';
import { coalesce } from '../../../store/coalesce.ts';
import { podName } from '../../../store/pod-steps.ts';
import type { PodStep, PodSteps } from '../../../store/pod-steps.ts';
import { Pod } from '../../kube/builtin.ts';
import type { Cache, Change, Key, Manager, Pass, PolicyRule, Result } from '../../kube/index.ts';
import { KubeError, keyOf, isAlreadyExists, owns, reads, splitKey, watch } from '../../kube/index.ts';
import { WorkflowRun } from '../resources.ts';
import { movesFiles, SEND } from './artifact-containers.ts';
import type { ArtifactSettings } from './artifact-containers.ts';
import { keptFiles, withFiles } from './artifact-outcome.ts';
import type { Files } from './artifact-outcome.ts';
import { logTail, resultOf } from './container-result.ts';
import type { NextStep } from './next-step.ts';
import { nextStep } from './next-step.ts';
import { BY_UID, ownerOf, uidOf } from './owner.ts';
import { PodBudget } from './pod-budget.ts';
import { readPodLog } from './pod-log.ts';
import type { PodOutcome } from './outcome.ts';
import { endOf, isTerminal, outcomeOf } from './pod-outcome.ts';
import { buildPod, podLabel } from './pod.ts';
import type { StepSource } from './step-source.ts';

/** In the namespaces where containers run, and only where they are enabled. */
export const containerNeeds: readonly PolicyRule[] = [
  ...reads(Pod), { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete'] }, { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [WorkflowRun.group], resources: [WorkflowRun.plural], verbs: ['create'] }, ...owns(WorkflowRun),
];

export interface ContainerSettings {
  /** Where containers may run, of the namespaces that are watched; empty: in all of them. */
  namespaces: readonly string[];
  /** ServiceAccounts that a container may name. */
  serviceAccounts: readonly string[];
  /** Pods of one namespace that may be unfinished at once. */
  maxActive: number;
  /** Pods created, and deleted, per second. */
  perSecond: number;
  /** How long finished pods stay, for people who look. */
  keepSeconds: number;
  /** Absent: files are moved into and out of no pods. */
  artifacts?: ArtifactSettings | undefined;
}

export interface ContainerControllerOptions {
  manager: Manager;
  steps: PodSteps;
  source: StepSource;
  /** The operator's namespace. */
  home: string;
  /** Absent: no containers; who wants one is told so. */
  settings: ContainerSettings | undefined;
  /** Namespaces that are watched; empty: all. */
  namespaces: readonly string[];
}

/** Whether something follows from a change: pods tell of each of their conditions. */
const hasMoved = ({ before, after }: Change<Pod>): boolean => before === undefined || after === undefined || movesOf(before) !== movesOf(after);
const movesOf = ({ metadata, status }: Pod): string => JSON.stringify([
  metadata.uid, metadata.deletionTimestamp, status?.phase, [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(({ state }) => state?.waiting?.reason),
]);

const BY_STEP = 'step';
const BY_NAMESPACE = 'unfinished';
const stepKeyOf = ({ metadata }: Pod): Key => `${metadata.namespace ?? ''}/${metadata.labels?.[podLabel.step] ?? ''}`;
const byStep = (pod: Pod): string[] => [stepKeyOf(pod)];
const byNamespace = (pod: Pod): string[] => (isTerminal(pod) ? [] : [pod.metadata.namespace ?? '']);

/** Between two looks for a log that is not there yet. */
const LOG_MS = 1000;
/** An admission that refuses may think better of it, such as a quota that is used up. */
const REFUSED_MS = 5000;
const REFUSED_FOR_MS = 600_000;
/** Of pods that nobody waits for, whatever time they have to hand out files. */
const GRACE_SECONDS = 30;
/** A log that is the result is asked for again, for so long. */
const LOG_PATIENCE_MS = 60_000;

/** Makes the pods that executions wait for, one after the other until one succeeds or the tries are used up, and lets the executions go on. */
export function containerController({ manager, steps, source, home, settings, namespaces }: ContainerControllerOptions): void {
  const { clock, cluster } = manager;
  const scopes = scopesOf(settings, namespaces);
  const pods = scopes.map((scope) => manager.cache(Pod, { ...scope, labelSelector: `${podLabel.step},${podLabel.installation}=${home}`, indexes: { [BY_STEP]: byStep, [BY_NAMESPACE]: byNamespace } }));
  const runs = scopes.map((scope) => manager.cache(WorkflowRun, { ...scope, indexes: { [BY_UID]: uidOf } }));
  const client = manager.client(Pod);
  const owners = {
    client: manager.client(WorkflowRun), steps,
    runs: { byIndex: (name: string, value: string) => runs.flatMap((cache) => cache.byIndex(name, value)) },
  };
  const podOf = (key: Key): Pod | undefined => pods.map((cache: Cache<Pod>) => cache.get(key)).find((pod) => pod !== undefined);
  const budget = new PodBudget({
    maxActive: settings?.maxActive ?? 0, perSecond: settings?.perSecond ?? 1, monotonic: () => clock.monotonic(),
    active: (namespace) => pods.reduce((sum, cache) => sum + cache.keysByIndex(BY_NAMESPACE, namespace).length, 0),
  });
  if (settings !== undefined) source.follow(() => budget.room());
  for (const cache of pods) {
    cache.subscribe(({ key, before, after }) => {
      budget.settle(key);
      if (after === undefined) budget.forget(key);
      const isOver = before !== undefined && !isTerminal(before) && (after === undefined || isTerminal(after));
      if (isOver && budget.freed(splitKey(key).namespace ?? '')) source.soon();
    });
  }
  const settleSoon = coalesce(async (batch: readonly string[]) => {
    await steps.settle();
    return batch;
  }, { concurrency: 1, max: 1000 });

  manager.control({
    name: 'container',
    rbac: settings === undefined ? [] : containerNeeds,
    watches: [source.watch, ...pods.map((cache) => watch(cache, { to: (pod) => [stepKeyOf(pod)], when: hasMoved }))],
    concurrency: 16,
    async reconcile(key, pass) {
      const { name: id } = splitKey(key);
      const found = await steps.get(id);
      // An id of one namespace that somebody put on a pod in another.
      const step = found !== undefined && `${found.namespace}/${found.id}` === key ? found : undefined;
      const own = pods.flatMap((cache) => cache.byIndex(BY_STEP, key));
      if (step === undefined || step.abandoned || step.isOver) return retire(own, step);
      const refusal = refusalOf(step, settings);
      if (refusal !== undefined) return end(step, { attempts: 0, error: { code: 'ContainersNotAllowed', message: refusal } });
      const read = readContainerSpec(step.spec);
      if ('problem' in read) return end(step, { attempts: 0, error: { code: 'ContainerInvalid', message: `The container cannot be made: ${read.problem}.` } });
      return advance(step, read.spec, pass);
    },
  });

  /** One pass over a step that is not over. */
  async function advance(step: PodStep, spec: ContainerSpec, pass: Pass): Promise<Result> {
    const key: Key = `${step.namespace}/${podName(step)}`;
    const pod = podOf(key) ?? (step.active ? await client.get(key, { signal: pass.signal }) : undefined);
    if (pod !== undefined) {
      if (!step.active) await steps.started(step);
      return conclude(step, spec, { pod, outcome: outcomeOf(pod, clock.now()), signal: pass.signal });
    }
    if (step.active) return conclude(step, spec, { outcome: { kind: 'Interrupted', reason: 'Deleted' }, signal: pass.signal });
    if (step.startMs > 0) return { requeueAfterMs: step.startMs };
    if (step.deadlineMs !== undefined && step.deadlineMs <= 0) {
      return end(step, { attempts: step.attempt - 1, error: { code: 'ContainerTimeout', message: 'The workflow was over its time before a pod could start. Raise settings.timeout.' } });
    }
    return start(step, spec, pass);
  }

  async function start(step: PodStep, spec: ContainerSpec, pass: Pass): Promise<Result> {
    const serviceAccount = spec.serviceAccountName;
    if (serviceAccount !== undefined && settings?.serviceAccounts.includes(serviceAccount) !== true) {
      return end(step, { attempts: 0, error: { code: 'ContainersNotAllowed', message: `Containers may not use the service account ${serviceAccount}: have it added to containers.serviceAccounts of the chart.` } });
    }
    if (movesFiles(spec) && settings?.artifacts === undefined) {
      return end(step, { attempts: 0, error: { code: 'ContainersNotAllowed', message: 'This installation moves no files into or out of containers: the operator has no address of the api for that.' } });
    }
    const key: Key = `${step.namespace}/${podName(step)}`;
    // The source reports it again once there is room.
    if (!budget.mayCreate(key, step.namespace)) return {};
    try {
      const owner = await ownerOf(step, owners);
      await client.create(buildPod(step, spec, { installation: home, owner, artifacts: settings?.artifacts }), { signal: pass.signal });
    } catch (error) {
      budget.settle(key);
      if (!isAlreadyExists(error)) return refused(step, error);
    }
    await steps.started(step);
    source.soon();
    return {};
  }

  /** What the API server does not take now, it may take later; what it calls invalid, never. */
  async function refused(step: PodStep, error: unknown): Promise<Result> {
    if (!(error instanceof KubeError) || (error.status !== 403 && error.status !== 422 && error.status !== 400)) throw error;
    if (error.status === 403 && step.ageMs < REFUSED_FOR_MS) return { requeueAfterMs: REFUSED_MS };
    return end(step, { attempts: step.attempt - 1, error: { code: 'ContainerRefused', message: `The cluster does not accept the pod: ${error.message.slice(0, 1000)}` } });
  }

  async function conclude(step: PodStep, spec: ContainerSpec, { pod, outcome: seen, signal }: { pod?: Pod; outcome: PodOutcome; signal: AbortSignal }): Promise<Result> {
    const { outcome, files } = await judge(step, spec, { pod, outcome: seen });
    const next = nextStep(outcome, step, spec);
    if (next.do === 'wait') return next.afterMs === undefined ? {} : { requeueAfterMs: next.afterMs };
    if (next.do === 'retry') {
      await steps.again({ id: step.id, attempt: step.attempt, failed: next.failed, afterMs: next.afterMs });
      return { requeueAfterMs: next.afterMs };
    }
    const log = pod === undefined ? undefined : await readPodLog(cluster, keyOf(pod), signal);
    if (log === undefined && next.do === 'succeed' && spec.resultFrom === 'log' && pod !== undefined && endedMs(pod) < LOG_PATIENCE_MS) return { requeueAfterMs: LOG_MS };
    return end(step, { ...reportOf(next, { spec, log: log ?? '', message: outcome.kind === 'Succeeded' ? outcome.message : '', files }), attempts: step.attempt, ...(pod && { pod: pod.metadata.name }) });
  }

  /** What a pod has come to, its files included. They are asked for once it has ended: no more come then. */
  async function judge(step: PodStep, { artifacts }: ContainerSpec, { pod, outcome }: { pod: Pod | undefined; outcome: PodOutcome }): Promise<{ outcome: PodOutcome; files: Files }> {
    if (!pod || !artifacts?.out || !isTerminal(pod)) return { outcome, files: new Map() };
    const files = await steps.files(step);
    if (outcome.kind !== 'Succeeded') return { outcome, files };
    return { files, outcome: withFiles(outcome, artifacts.out, { files, unsaid: endOf(pod, SEND)?.message ?? '' }) };
  }

  async function end(step: PodStep, result: ContainerResult): Promise<Result> {
    await steps.finish(step.id, result);
    await settleSoon(step.id);
    source.soon();
    return { requeueAfterMs: (settings?.keepSeconds ?? 0) * 1000 };
  }

  /** Deletes what nobody waits for: at once if it still runs, else after some time. */
  async function retire(own: readonly Pod[], step: PodStep | undefined): Promise<Result> {
    let afterMs = Infinity;
    for (const pod of own) {
      const keptMs = isTerminal(pod) ? (settings?.keepSeconds ?? 0) * 1000 - endedMs(pod) : 0;
      if (pod.metadata.deletionTimestamp !== undefined) continue;
      const waitMs = keptMs > 0 ? keptMs : budget.deleteInMs(keyOf(pod));
      if (waitMs > 0) afterMs = Math.min(afterMs, waitMs);
      else await client.delete(keyOf(pod), { uid: pod.metadata.uid, gracePeriodSeconds: GRACE_SECONDS });
    }
    if (afterMs < Infinity) return { requeueAfterMs: afterMs };
    if (step?.abandoned === true) await steps.forget(step.id);
    return {};
  }

  /** How long ago a pod ended, or was made if it does not say. */
  function endedMs({ metadata, status }: Pod): number {
    const ends = (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? '')).filter((time) => !Number.isNaN(time));
    return clock.now() - (ends.length > 0 ? Math.max(...ends) : Date.parse(metadata.creationTimestamp ?? ''));
  }
}

function scopesOf(settings: ContainerSettings | undefined, watched: readonly string[]): { namespace?: string }[] {
  if (settings === undefined) return [];
  if (settings.namespaces.length === 0 && watched.length === 0) return [{}];
  const names = settings.namespaces.length === 0 ? watched : settings.namespaces.filter((namespace) => watched.length === 0 || watched.includes(namespace));
  return names.map((namespace) => ({ namespace }));
}

function refusalOf({ namespace }: PodStep, settings: ContainerSettings | undefined): string | undefined {
  if (settings === undefined) return 'This installation runs no containers: have containers.enabled set in the values of the chart.';
  if (settings.namespaces.length === 0 || settings.namespaces.includes(namespace)) return undefined;
  return `Containers may not run in namespace ${namespace}: have it added to containers.namespaces of the chart.`;
}

function reportOf(next: Extract<NextStep, { do: 'succeed' | 'fail' }>, { spec, log, message, files }: { spec: ContainerSpec; log: string; message: string; files: Files }): Omit<ContainerResult, 'attempts'> {
  const kept = keptFiles(spec.artifacts?.out ?? [], files, next.do === 'fail');
  const common = { log: logTail(log), ...(kept && { files: kept }) };
  if (next.do === 'succeed') return { ...common, exitCode: 0, result: resultOf(spec.resultFrom, message, log) };
  return { ...common, error: { code: next.code, message: next.message }, ...(next.exitCode !== undefined && { exitCode: next.exitCode }) };
}
