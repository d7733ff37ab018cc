import type { Notifications } from '../../../store/notifications.ts';
import { channel } from '../../../store/notifications.ts';
import type { PodSteps } from '../../../store/pod-steps.ts';
import type { Clock, Key, Log, Watch } from '../../kube/index.ts';

export interface StepSourceOptions {
  steps: Pick<PodSteps, 'due' | 'settle'>;
  notifications: Notifications;
  clock: Clock;
  log: Log;
}

/** A pass without news costs two small queries. */
const LOOK_MS = 1000;
/** Keys per look: more than may be started until the next. */
const BATCH = 500;

/** Reports steps that want a pod or whose execution has ended, when told of new ones and once a second; lets finished ones settle. */
export class StepSource {
  readonly #options: StepSourceOptions;
  readonly #sinks = new Set<(key: Key) => void>();
  #looking = false;

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

  /** Looks until the result is called. */
  async start(): Promise<() => Promise<void>> {
    const { notifications, clock } = this.#options;
    let stopped = false;
    let cancel = (): void => undefined;
    const tick = async (): Promise<void> => {
      await this.#look();
      if (!stopped) cancel = clock.after(LOOK_MS, () => void tick());
    };
    const unlisten = await notifications.on(channel.pods, () => void this.#look());
    cancel = clock.after(LOOK_MS, () => void tick());
    return async () => {
      stopped = true;
      cancel();
      await unlisten();
    };
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const { steps } = this.#options;
      await steps.settle();
      for (const key of await steps.due(BATCH)) for (const enqueue of this.#sinks) enqueue(key as Key);
    } catch (err) {
      this.#options.log.warn({ err }, 'Failed to look for pods that executions wait for, trying again');
    } finally {
      this.#looking = false;
    }
  }
}
