import { channel } from '../../../store/notifications.ts';
import type { Notifications } from '../../../store/notifications.ts';
import type { Log } from '../../kube/index.ts';

/** Hears of work in pools, so that a burst is not seen only at the next look. */
export class WorkListener {
  readonly #notifications: Notifications;
  readonly #log: Log;
  readonly #onWork: (pool: string) => void;
  readonly #stops = new Map<string, Promise<() => Promise<void>>>();

  constructor(notifications: Notifications, { log, onWork }: { log: Log; onWork: (pool: string) => void }) {
    this.#notifications = notifications;
    this.#log = log;
    this.#onWork = onWork;
  }

  /** Returns at once; while the database is away it listens as soon as it is back. */
  listen(pool: string): void {
    if (this.#stops.has(pool)) return;
    const listening = this.#notifications.on(channel.work(pool), () => this.#onWork(pool));
    this.#stops.set(pool, listening);
    listening.catch((err: unknown) => {
      this.#stops.delete(pool);
      this.#log.warn({ err, pool }, 'Failed to listen for work, looking now and then');
    });
  }

  async forget(pool: string): Promise<void> {
    const listening = this.#stops.get(pool);
    this.#stops.delete(pool);
    const stop = await listening?.catch(() => undefined);
    await stop?.();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stops.keys()].map((pool) => this.forget(pool)));
  }
}
