import type { Notifications } from '../../../store/notifications.ts';
import { channel } from '../../../store/notifications.ts';
import type { PodSteps } from '../../../store/pod-steps.ts';
import type { Clock, Key, Log, Watch } from '../../kube/index.ts';
import type { Room } from './pod-budget.ts';

export interface StepSourceOptions {
  steps: Pick<PodSteps, 'due' | 'orphans' | 'settle' | 'tidy'>;
  notifications: Notifications;
  clock: Clock;
  log: Log;
}

/** A pass without news costs a few small queries. */
const LOOK_MS = 1000;
/** Between two looks. */
const SOON_MS = 50;
/** Keys per look. */
const BATCH = 500;

/**
 * Reports steps that want a pod, as many as there is room for, when told of new ones, when there is room again, and once a second; and those whose
 * execution has ended. Lets finished ones settle. What there is no room for stays in the database and costs nothing.
 */
export class StepSource {
  readonly #options: StepSourceOptions;
  readonly #sinks = new Set<(key: Key) => void>();
  #room: () => Room = () => ({ pods: BATCH, full: [] });
  #looking = false;
  #soon: (() => void) | undefined;

  constructor(options: StepSourceOptions) {
    this.#options = options;
  }

  /** Source of keys for a controller: `namespace/id` of a step. */
  readonly watch: Watch = {
    start: (sink) => {
      const enqueue = (key: Key): void => sink.enqueue(key);
      this.#sinks.add(enqueue);
      return () => this.#sinks.delete(enqueue);
    },
  };

  /** How many pods could be created, asked at every look. */
  follow(room: () => Room): void {
    this.#room = room;
  }

  /** Looks in a moment, however often this is called until then: there is room, or something new. */
  soon(): void {
    this.#soon ??= this.#options.clock.after(SOON_MS, () => {
      this.#soon = undefined;
      void this.#guarded(() => this.#look());
    });
  }

  /** Looks until the result is called. */
  async start(): Promise<() => Promise<void>> {
    const { notifications, clock } = this.#options;
    let stopped = false;
    let cancel = (): void => undefined;
    const tick = async (): Promise<void> => {
      await this.#guarded(async () => {
        await this.#sweep();
        await this.#look();
      });
      if (!stopped) cancel = clock.after(LOOK_MS, () => void tick());
    };
    const unlisten = await notifications.on(channel.pods, () => this.soon());
    cancel = clock.after(LOOK_MS, () => void tick());
    return async () => {
      stopped = true;
      cancel();
      this.#soon?.();
      await unlisten();
    };
  }

  async #look(): Promise<void> {
    const { pods, full } = this.#room();
    const limit = Math.min(pods, BATCH);
    if (limit === 0) this.soon();
    else this.#report(await this.#options.steps.due(limit, full));
  }

  /** What may be late, or gets lost when a message does. */
  async #sweep(): Promise<void> {
    const { steps } = this.#options;
    await steps.settle();
    await steps.tidy();
    this.#report(await steps.orphans(BATCH));
  }

  #report(keys: readonly string[]): void {
    for (const key of keys) for (const enqueue of this.#sinks) enqueue(key as Key);
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.#looking) {
      this.soon();
      return;
    }
    this.#looking = true;
    try {
      await work();
    } catch (err) {
      this.#options.log.warn({ err }, 'Failed to look for pods that executions wait for, trying again');
    } finally {
      this.#looking = false;
    }
  }
}
