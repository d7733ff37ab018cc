import type { IsolatedExecution, IsolatedState } from '../../../store/isolated.ts';
import type { Pod } from '../../kube/builtin.ts';
import { isTerminal } from '../container/pod-outcome.ts';
import { label } from '../labels.ts';
import type { RunnerPool } from '../resources.ts';
import { ATTEMPT_ANNOTATION, podName } from './runner-pod.ts';

export interface Observed {
  /** What may start, by pool, in the order in which it should. */
  wanted: readonly { pool: RunnerPool; executions: readonly IsolatedExecution[] }[];
  pods: readonly Pod[];
  /** Of the executions of the pods, as far as they have not ended. */
  states: ReadonlyMap<string, IsolatedState>;
  /** Unfinished pods at once, over all pools. */
  maxPods: number;
  /** Milliseconds since the epoch. */
  now: number;
}

export interface Plan {
  create: { pool: RunnerPool; execution: IsolatedExecution }[];
  remove: Pod[];
}

/** How long a finished pod stays, for people who look. */
const KEEP_MS = 60_000;
/** A pod that ended before it took its execution is made anew after so long. */
const AGAIN_MS = 10_000;

/** Which pods to make, pools in turn as far as there is room, and which to delete. */
export function planPods({ wanted, pods, states, maxPods, now }: Observed): Plan {
  const byName = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const next = inTurn(wanted);
  const names = new Set(next.map(({ execution }) => podName(execution)));
  const remove = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && (isTerminal(pod)
    ? endedMs(pod, now) >= (names.has(pod.metadata.name) ? AGAIN_MS : KEEP_MS)
    : pod.status?.phase === 'Pending' && !isNeeded(pod, states)));
  const room = Math.max(0, maxPods - pods.filter((pod) => !isTerminal(pod)).length);
  return { create: next.filter(({ execution }) => !byName.has(podName(execution))).slice(0, room), remove };
}

function inTurn(wanted: Observed['wanted']): Plan['create'] {
  const longest = Math.max(0, ...wanted.map(({ executions }) => executions.length));
  return Array.from({ length: longest }, (_, index) => wanted.flatMap(({ pool, executions }) => {
    const execution = executions[index];
    return execution === undefined ? [] : [{ pool, execution }];
  })).flat();
}

/** Pods that run end by themselves; one that still waits for a node or an image would wait for nothing. */
function isNeeded({ metadata }: Pod, states: ReadonlyMap<string, IsolatedState>): boolean {
  const state = states.get(metadata.labels?.[label.execution] ?? '');
  return state !== undefined && (state.isRunning ? state.fence : state.fence + 1) === Number(metadata.annotations?.[ATTEMPT_ANNOTATION]);
}

function endedMs({ metadata, status }: Pod, now: number): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? '')).filter((time) => !Number.isNaN(time));
  return now - (ends.length > 0 ? Math.max(...ends) : Date.parse(metadata.creationTimestamp ?? ''));
}
