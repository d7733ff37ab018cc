import { isNotFound } from './errors.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from './finalizer.ts';
import { cloneJson, sameJson } from './json.ts';
import { outcomeOf } from './outcome.ts';
import { SummaryType, handled, summarize } from './summarize.ts';
import type { Cache } from './cache.ts';
import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import type { Mark } from './conditions.ts';
import type { ControllerOptions, Pass, Result } from './controller.ts';
import type { EventDetails, EventRecorder, EventType } from './events.ts';
import type { AnyObject, CommonStatus, Condition, ConditionStatus } from './object.ts';
import type { Resource } from './resource.ts';
import type { Outcome } from './summarize.ts';

type WithStatus = AnyObject & { status?: CommonStatus };
type StatusOf<T extends WithStatus> = NonNullable<T['status']>;

/** One pass over one object. */
export interface ObjectPass<T extends WithStatus> extends Pass {
  /** The status as it will be written; change it freely. Conditions and observedGeneration are set from the marks. */
  readonly status: Partial<StatusOf<T>>;
  /** Says how one part of the object is. What a complete pass does not mark disappears. */
  mark(type: string, status: ConditionStatus, reason: string, message: string): void;
  /** Records an event about the object, once the status is written; for transitions, not for states. */
  event(type: EventType, reason: string, note: string): void;
}

export interface ObjectReconcilerOptions<T extends WithStatus> {
  /** A `Manager`. */
  manager: {
    readonly clock: Clock;
    readonly events: EventRecorder;
    client<U extends AnyObject>(resource: Resource<U>, options?: { fieldManager?: string }): Client<U>;
  };
  cache: Cache<T>;
  /** Default: the manager's. */
  fieldManager?: string;
  /** Conditions that together make Ready, most fundamental first; the message of the last one is that of Ready. */
  ready: readonly string[];
  /** Does the work. `object` is read-only. */
  reconcile(object: T, pass: ObjectPass<T>): Promise<Result>;
  /** Cleans up what the garbage collector cannot, before the object goes; returns when done, throws WaitingError when not yet. */
  finalize?(object: T, pass: ObjectPass<T>): Promise<void>;
  /** "domain/name"; needed for `finalize`. */
  finalizer?: string;
  /** Whether nothing is to be done for now. */
  suspended?(object: T): boolean;
  /** Annotations by which people ask for a pass, holding the time; the latest is echoed in status.lastHandledReconcileAt. */
  requestAnnotations?: readonly string[];
}

/**
 * Makes a reconciler of keys from one of objects. It holds the finalizer, derives the conditions, and writes the status once at the end
 * of each pass, also when the pass failed, and never when nothing changed. The write carries the resource version that the pass saw, so that
 * a pass that decided on an old state cannot overwrite a newer status; it runs again instead.
 */
export function objectReconciler<T extends WithStatus>(options: ObjectReconcilerOptions<T>): ControllerOptions['reconcile'] {
  const { manager, cache, finalizer, fieldManager } = options;
  if ((options.finalize === undefined) !== (finalizer === undefined)) throw new Error('finalize and finalizer go together');
  const client = manager.client(cache.resource, fieldManager === undefined ? {} : { fieldManager });

  return async (key, pass) => {
    const cached = cache.get(key);
    if (!cached) return {};
    if (cached.metadata.deletionTimestamp !== undefined) {
      await release(cached, pass);
      return {};
    }
    const object = finalizer === undefined ? cached : await addFinalizer(client, cached, finalizer, { signal: pass.signal });
    if (options.suspended?.(object)) return await withStatus(object, pass, { work: async () => ({}), success: { type: 'suspended' } });
    return await withStatus(object, pass, { work: (draft) => options.reconcile(object, draft), success: { type: 'done' } });
  };

  /** Cleans up and lets the object go; on failure the status says why it is still there. */
  async function release(object: T, pass: Pass): Promise<void> {
    if (finalizer === undefined || !hasFinalizer(object, finalizer)) return;
    await withStatus(object, pass, { work: async (draft) => options.finalize?.(object, draft) });
    await removeFinalizer(client, object, finalizer, { signal: pass.signal });
  }

  async function withStatus<R>(object: T, pass: Pass, { work, success }: { work: (draft: ObjectPass<T>) => Promise<R>; success?: Outcome }): Promise<R> {
    const marks = new Map<string, Mark>();
    const events: EventDetails[] = [];
    const draft = openPass(object, pass, { marks, events });
    try {
      let result: R;
      try {
        result = await work(draft);
      } catch (err) {
        const outcome = outcomeOf(err);
        if (outcome && !pass.stopping.aborted) await writeStatus(object, draft, marks, outcome).catch((statusErr: unknown) => {
          // The one that is thrown decides on the retry: a stalled object whose status could not be written must be tried again.
          pass.log.error({ err }, 'Failed to reconcile, and then to write so to the status');
          throw statusErr;
        });
        throw err;
      }
      if (success) await writeStatus(object, draft, marks, success);
      return result;
    } finally {
      // Now, because people wait for the status, and the API server would write both at once, each the slower for it.
      for (const event of events) manager.events.record(object, event);
    }
  }

  function openPass(object: T, pass: Pass, { marks, events }: { marks: Map<string, Mark>; events: EventDetails[] }): ObjectPass<T> {
    return {
      ...pass,
      status: cloneJson(object.status ?? {}) as Partial<StatusOf<T>>,
      mark: (type, status, reason, message) => {
        if (Object.hasOwn(SummaryType, type)) throw new Error(`${type} is derived and cannot be marked`);
        marks.set(type, { status, reason, message });
      },
      event: (type, reason, note) => events.push({ type, reason, note, action: 'Reconcile' }),
    };
  }

  async function writeStatus(object: T, pass: ObjectPass<T>, marks: Map<string, Mark>, outcome: Outcome): Promise<void> {
    const before: CommonStatus = object.status ?? {};
    const generation = object.metadata.generation;
    const conditions = summarize({ before: before.conditions ?? [], marks, ready: options.ready, outcome, generation, now: manager.clock.now() });
    const observedGeneration = handled(outcome) ? generation : before.observedGeneration;
    const asked = options.requestAnnotations?.flatMap((name) => object.metadata.annotations?.[name] ?? []).sort().at(-1);
    const status = {
      ...pass.status,
      conditions,
      ...(observedGeneration === undefined ? {} : { observedGeneration }),
      ...(asked === undefined ? {} : { lastHandledReconcileAt: asked }),
    };
    if (sameStatus(before, status)) return;
    try {
      // With the signal of the process, not of the pass: a pass that ran out of time says so in its status.
      await client.applyStatus({ metadata: object.metadata, status }, { signal: pass.stopping, timeoutMs: 10_000 });
    } catch (err) {
      if (isNotFound(err)) return;
      throw err;
    }
    tell(pass, before.conditions ?? [], conditions);
  }

  /** An event when the object became ready, or stopped being so for a reason that is not just progress. */
  function tell(pass: ObjectPass<T>, before: Condition[], after: Condition[]): void {
    const was = before.find(({ type }) => type === SummaryType.Ready);
    const is = after.find(({ type }) => type === SummaryType.Ready);
    if (!is || is.status === 'Unknown' || (was?.status === is.status && was.reason === is.reason)) return;
    if (is.status === 'True' && was?.status === 'True') return;
    pass.event(is.status === 'True' ? 'Normal' : 'Warning', is.reason, is.message);
  }
}

/** Whether two statuses say the same, in whatever order their conditions are. */
function sameStatus(a: { conditions?: Condition[] }, b: { conditions?: Condition[] }): boolean {
  const sorted = ({ conditions = [], ...rest }: { conditions?: Condition[] }): unknown => [rest, [...conditions].sort((x, y) => (x.type < y.type ? -1 : 1))];
  return sameJson(sorted(a), sorted(b));
}
