import { keyOf } from './object.ts';
import { anyChange, ignoreStatus } from './predicate.ts';
import type { Cache, Change } from './cache.ts';
import type { Mapping } from './mapping.ts';
import type { AnyObject, Key } from './object.ts';
import type { Predicate } from './predicate.ts';

export interface WatchSink {
  /** The key may need work. */
  enqueue(key: Key): void;
  /** Finding the keys failed; `again` tries once more. */
  failed(failure: { err: unknown; source: Key; attempt: number; again: () => void }): void;
}

/** Where the keys of a controller come from. */
export interface Watch {
  /** Reports keys until stopped, first those of everything already there. */
  start(sink: WatchSink): () => void;
}

export interface WatchOptions<T> {
  /** Default: to the object's own key. */
  to?: Mapping<T>;
  /** Default: everything but changes of the status alone; with `to`, every change. */
  when?: Predicate<T>;
}

/** Changes of the objects in a cache, as keys of the objects to reconcile. */
export function watch<T extends AnyObject>(cache: Cache<T>, options: WatchOptions<T> = {}): Watch {
  const to = options.to ?? ((object: T) => [keyOf(object)]);
  const when: Predicate<T> = options.when ?? (options.to ? anyChange : ignoreStatus);
  return {
    start(sink) {
      const handle = (change: Change<T>, attempt: number): void => {
        try {
          if (!when(change)) return;
          // Both: a change may move an object from one owner, or one name, to another.
          const keys = [change.before, change.after].flatMap((object) => (object ? to(object) : []));
          for (const key of keys) sink.enqueue(key);
        } catch (err) {
          sink.failed({ err, source: change.key, attempt, again: () => handle(change, attempt + 1) });
        }
      };
      const stop = cache.subscribe((change) => handle(change, 0));
      for (const after of cache.list()) handle({ key: keyOf(after), before: undefined, after }, 0);
      return stop;
    },
  };
}
