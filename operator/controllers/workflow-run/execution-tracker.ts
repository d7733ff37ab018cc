import { coalesce } from '../../../store/coalesce.ts';
import type { Execution, Executions } from '../../../store/executions.ts';
import type { Notification, Notifications } from '../../../store/notifications.ts';
import { channel } from '../../../store/notifications.ts';
import type { Clock, Key, Log, Watch } from '../../kube/index.ts';

export interface TrackerOptions {
  executions: Pick<Executions, 'statuses'>;
  notifications: Notifications;
  clock: Clock;
  log: Log;
}

/** Ends are announced; starts and waits are not, and an announcement may get lost. So all that is tracked is looked at so often, in one go. */
const SWEEP_MS = 2000;
const BATCH = 500;

/**
 * Follows the executions of unfinished runs, however many, with one LISTEN and one query now and then, and reports the keys of
 * runs whose execution changed.
 */
export class ExecutionTracker {
  readonly #options: TrackerOptions;
  readonly #fetch: (id: string) => Promise<Execution | undefined>;
  readonly #keys = new Map<string, Key>();
  readonly #ids = new Map<Key, string>();
  readonly #known = new Map<string, Execution>();
  /** Of executions that have moved: where they were at the last look. */
  readonly #passing = new Map<string, Execution>();
  readonly #sinks = new Set<(key: Key) => void>();

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#fetch = coalesce(async (ids: readonly string[]) => {
      const found = new Map((await options.executions.statuses([...new Set(ids)])).map((execution) => [execution.id, execution]));
      return ids.map((id) => found.get(id));
    }, { concurrency: 2, max: BATCH });
  }

  /** Source of keys for a controller. */
  readonly watch: Watch = {
    start: (sink) => {
      const enqueue = (key: Key): void => sink.enqueue(key);
      this.#sinks.add(enqueue);
      return () => this.#sinks.delete(enqueue);
    },
  };

  /** Listens until the result is called. */
  async start(): Promise<() => Promise<void>> {
    const { notifications, clock, log } = this.#options;
    let stopped = false;
    let cancel = (): void => undefined;
    const sweep = async (): Promise<void> => {
      try {
        await this.#refresh([...this.#keys.keys()]);
      } catch (error) {
        log.warn({ err: error }, 'Failed to look at executions, trying again');
      }
      if (!stopped) cancel = clock.after(SWEEP_MS, () => void sweep());
    };
    const unlisten = await notifications.on(channel.finished, (notification) => void this.#heard(notification));
    cancel = clock.after(SWEEP_MS, () => void sweep());
    return async () => {
      stopped = true;
      cancel();
      await unlisten();
    };
  }

  /** The execution of a run as it was last seen; it is tracked until it has ended. */
  async follow(key: Key, id: string): Promise<Execution | undefined> {
    this.#keys.set(id, key);
    this.#ids.set(key, id);
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const fetched = await this.#fetch(id);
    if (fetched !== undefined && this.#keys.has(id)) this.#known.set(id, fetched);
    return fetched;
  }

  /** Stops following a run. Its execution, when that was followed. */
  forget(key: Key): string | undefined {
    const id = this.#ids.get(key);
    if (id === undefined) return undefined;
    this.#ids.delete(key);
    this.#keys.delete(id);
    this.#known.delete(id);
    this.#passing.delete(id);
    return id;
  }

  async #heard(notification: Notification): Promise<void> {
    const ids = notification.kind === 'connected' ? [...this.#keys.keys()] : notification.payload.split(',').filter((id) => this.#keys.has(id));
    try {
      await this.#refresh(ids);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'Failed to look at executions that ended, trying again');
    }
  }

  async #refresh(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map(async (id) => {
      const seen = await this.#fetch(id);
      const key = this.#keys.get(id);
      if (key === undefined || !hasMoved(this.#known.get(id), seen)) return;
      // What is over by the next look is not worth a write to the API server: short executions are queued, and then they have ended.
      if (seen !== undefined && seen.finishedAt === undefined && hasMoved(this.#passing.get(id), seen)) {
        this.#passing.set(id, seen);
        return;
      }
      this.#passing.delete(id);
      if (seen === undefined) this.#known.delete(id);
      else this.#known.set(id, seen);
      for (const enqueue of this.#sinks) enqueue(key);
    }));
  }
}

function hasMoved(before: Execution | undefined, after: Execution | undefined): boolean {
  return before?.status !== after?.status || before?.startedAt !== after?.startedAt;
}
