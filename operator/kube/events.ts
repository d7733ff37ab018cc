import { microTimestamp, sleep } from './clock.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { Log } from './log.ts';
import type { AnyObject } from './object.ts';

export type EventType = 'Normal' | 'Warning';

/** What happened to an object; for people. No secret may be in it. */
export interface EventDetails {
  type: EventType;
  /** CamelCase code, at most 128 characters. */
  reason: string;
  /** At most 1,024 characters; longer ones are cut. */
  note: string;
  /** What the controller did or tried, CamelCase. */
  action: string;
}

export interface EventRecorderOptions {
  cluster: Cluster;
  /** Such as "example.dev/controller". */
  reportingController: string;
  /** The pod. */
  reportingInstance: string;
  clock: Clock;
  log: Log;
  /** Told of each event that was not written because there were too many. */
  onDropped?: () => void;
  /** Checked before each write. */
  mayWrite?: () => boolean;
}

interface Series {
  path: string;
  name: string;
  count: number;
  lastAt: number;
  /** Repeats since the last write. */
  dirty: boolean;
}

/** The same event again within this time is counted on the first one instead of being written. */
const SERIES_MS = 600_000;
/** How often the count of a series is written. */
const FLUSH_MS = 30_000;
const MAX_SERIES = 4096;
const MAX_PENDING = 1000;
const RATE = { perSecond: 10, burst: 100 };

/** Records events.k8s.io/v1 Events in the background: never waits, never fails, counts repeats, and drops what is too much. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #bucket: TokenBucket;
  /** By what makes an event the same; the one used longest ago first. */
  readonly #series = new Map<string, Series>();
  readonly #pending: (() => Promise<void>)[] = [];
  #pumping: Promise<void> | undefined;
  #cancelFlush: (() => void) | undefined;
  #closed = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(RATE, () => options.clock.monotonic());
  }

  record(regarding: AnyObject, details: EventDetails): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    const identity = [regarding.kind, regarding.metadata.uid, details.type, details.reason, details.note].join('|');
    const known = this.#series.get(identity);
    if (known && clock.monotonic() - known.lastAt < SERIES_MS) {
      known.count += 1;
      known.lastAt = clock.monotonic();
      known.dirty = true;
      this.#touch(identity, known);
      this.#cancelFlush ??= clock.after(FLUSH_MS, () => this.#flush());
      return;
    }
    if (this.#pending.length >= MAX_PENDING || !this.#bucket.tryTake()) {
      this.#options.onDropped?.();
      return;
    }
    const { namespace = 'default', name } = regarding.metadata;
    const series: Series = {
      path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
      name: `${name.slice(0, 200)}.${Math.floor(clock.now() * 1000 + clock.random() * 1000).toString(16)}`,
      count: 1,
      lastAt: clock.monotonic(),
      dirty: false,
    };
    this.#touch(identity, series);
    const event = this.#event(regarding, details, { name: series.name, namespace });
    this.#enqueue(() => this.#options.cluster.request(series.path, { method: 'POST', body: event, timeoutMs: 10_000 }));
  }

  /** Records nothing more and writes what is pending, as far as that goes within `withinMs`. */
  async close(withinMs = 3000): Promise<void> {
    this.#flush();
    this.#closed = true;
    if (!this.#pumping) return;
    const written = new AbortController();
    await Promise.race([this.#pumping, sleep(this.#options.clock, withinMs, written.signal)]);
    written.abort();
    this.#pending.length = 0;
  }

  #event(regarding: AnyObject, { type, reason, note, action }: EventDetails, metadata: object): object {
    const { apiVersion, kind, metadata: of } = regarding;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata,
      eventTime: microTimestamp(this.#options.clock.now()),
      reportingController: this.#options.reportingController,
      reportingInstance: this.#options.reportingInstance.slice(0, 128),
      action: action.slice(0, 128),
      reason: reason.slice(0, 128),
      note: note.length > 1024 ? `${note.slice(0, 1023)}…` : note,
      type,
      regarding: { apiVersion, kind, name: of.name, namespace: of.namespace, uid: of.uid, resourceVersion: of.resourceVersion },
    };
  }

  #touch(identity: string, series: Series): void {
    this.#series.delete(identity);
    this.#series.set(identity, series);
    for (const oldest of this.#series.keys()) {
      if (this.#series.size <= MAX_SERIES) break;
      this.#series.delete(oldest);
    }
  }

  /** Writes the counts of the series that grew, and forgets those that are over. */
  #flush(): void {
    const { clock, cluster } = this.#options;
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    for (const [identity, series] of this.#series) {
      if (series.dirty) {
        series.dirty = false;
        const body = { series: { count: series.count, lastObservedTime: microTimestamp(clock.now()) } };
        this.#enqueue(() =>
          cluster.request(`${series.path}/${series.name}`, { method: 'PATCH', contentType: 'application/merge-patch+json', body, timeoutMs: 10_000 }),
        );
      } else if (clock.monotonic() - series.lastAt > SERIES_MS) this.#series.delete(identity);
    }
  }

  #enqueue(write: () => Promise<unknown>): void {
    this.#pending.push(async () => {
      if (this.#options.mayWrite?.() === false) return;
      try {
        await write();
      } catch (err) {
        // Events are a courtesy: a namespace that is going away refuses them, and nobody waits for them.
        this.#options.log.debug({ err }, 'Lost an event');
      }
    });
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
    });
  }

  /** One write at a time: events must not crowd out the work they tell about. */
  async #pump(): Promise<void> {
    for (let write = this.#pending.shift(); write; write = this.#pending.shift()) await write();
  }
}
