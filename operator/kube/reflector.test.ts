import { expect, test } from '@jest/globals';
import { KubeError } from './errors.ts';
import { silentLog } from './log.ts';
import { manualClock } from './manual-clock.ts';
import { Reflector } from './reflector.ts';
import { resource } from './resource.ts';
import type { Cluster, Query } from './cluster.ts';
import type { ManualClock } from './manual-clock.ts';

const Thing = resource({ group: 'example.dev', version: 'v1', plural: 'things', kind: 'Thing' });

type Answer = { list: object } | { fail: KubeError } | { lines: object[]; broken?: KubeError; afterMs?: number };

interface World {
  clock: ManualClock;
  /** "list <limit> <continue>" or "watch <version>", with the time. */
  asked: string[];
  done: string[];
  stop: () => Promise<void>;
}

/** A server that gives one answer after the other; when they are used up, watches stay open. */
function world(answers: Answer[]): World {
  const clock = manualClock(() => 0.999);
  const asked: string[] = [];
  const done: string[] = [];
  const abort = new AbortController();
  const open = new Promise<never>((_resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(new Error('stopped')));
  });
  open.catch(() => {});
  const at = (): string => `@${Math.round(clock.monotonic())}`;
  const cluster = {
    async request(_path: string, { query = {} }: { query?: Query }) {
      asked.push(`list ${query['limit']} ${query['continue'] ?? '-'} ${at()}`);
      const answer = answers.shift() ?? { list: page() };
      if ('fail' in answer) throw answer.fail;
      if ('list' in answer) return answer.list;
      throw new Error('the script has a watch here');
    },
    async stream(_path: string, { query = {} }: { query?: Query }) {
      asked.push(`watch ${query['resourceVersion']} ${at()}`);
      const answer = answers.shift();
      if (!answer) return await open;
      if ('fail' in answer) throw answer.fail;
      if ('list' in answer) throw new Error('the script has a list here');
      return (async function* () {
        for (const line of answer.lines) yield Buffer.from(`${JSON.stringify(line)}\n`);
        if (answer.afterMs !== undefined) await new Promise<void>((resolve) => void clock.after(answer.afterMs ?? 0, resolve));
        if (answer.broken) throw answer.broken;
      })();
    },
  } as unknown as Cluster;
  const note = (what: string) => (object: { metadata: { name: string } }) => void done.push(`${what} ${object.metadata.name}`);
  const reflector = new Reflector({
    cluster,
    resource: Thing,
    clock,
    log: silentLog,
    target: {
      trim: (object) => object,
      replace: (items, version) => void done.push(`replace ${items.map(({ metadata }) => metadata.name).join()} ${version}`),
      upsert: note('upsert'),
      remove: note('remove'),
      advance: (version) => void done.push(`advance ${version}`),
    },
  });
  const running = reflector.run(abort.signal);
  return {
    clock,
    asked,
    done,
    stop: async () => {
      abort.abort();
      await running;
      expect(clock.pending).toBe(0);
    },
  };
}

const item = (name: string, version: number): object => ({ metadata: { name, resourceVersion: String(version) } });
const page = (names: string[] = [], next?: string): object => ({ items: names.map((name) => item(name, 1)), metadata: { resourceVersion: '10', continue: next } });
const event = (type: string, name: string, version: number): object => ({ type, object: item(name, version) });
const failure = (status: number, reason: string, retryAfterMs?: number): KubeError => new KubeError({ status, reason, message: reason, retryAfterMs });
const gone = failure(410, 'Expired');
const unreachable = failure(0, 'ApiServerUnreachable');

test('reads all pages, then watches from their version, and goes on from the last event', async () => {
  const w = world([
    { list: page(['a', 'b'], 'more') },
    { list: page(['c']) },
    { lines: [event('ADDED', 'd', 11), event('MODIFIED', 'a', 12), event('DELETED', 'b', 13), { type: 'BOOKMARK', object: { metadata: { resourceVersion: '20' } } }] },
    { lines: [event('ADDED', 'e', 21)], broken: unreachable },
  ]);
  await w.clock.advance(200);
  expect(w.done).toEqual(['replace a,b,c 10', 'upsert d', 'upsert a', 'remove b', 'advance 20', 'upsert e']);
  expect(w.asked.map((line) => line.replace(/ @.*/, ''))).toEqual(['list 500 -', 'list 500 more', 'watch 10', 'watch 20', 'watch 21']);
  await w.stop();
});

test('the wait after failures in a row grows, and starts over after an event', async () => {
  const w = world([
    { list: page() },
    ...Array.from({ length: 5 }, () => ({ fail: unreachable })),
    { lines: [event('ADDED', 'a', 11)], broken: unreachable },
  ]);
  await w.clock.advance(10_000);
  expect(w.asked.filter((line) => line.startsWith('watch'))).toEqual(['watch 10 @0', 'watch 10 @200', 'watch 10 @599', 'watch 10 @1399', 'watch 10 @2997', 'watch 10 @6194', 'watch 11 @6394']);
  await w.stop();
});

test('Retry-After is a floor', async () => {
  const w = world([{ list: page() }, { fail: failure(429, 'TooManyRequests', 3000) }]);
  await w.clock.advance(5000);
  expect(w.asked.at(-1)).toBe('watch 10 @3200');
  await w.stop();
});

test('an expired version leads to a new list, an outage of any length does not', async () => {
  const w = world([{ list: page() }, { fail: gone }, { list: page(['a']) }, ...Array.from({ length: 10 }, (_, i) => ({ fail: i % 2 ? unreachable : failure(503, 'ServiceUnavailable') }))]);
  await w.clock.advance(600_000);
  expect(w.asked.filter((line) => line.startsWith('list')).length).toBe(2);
  expect(w.asked.filter((line) => line.startsWith('watch')).length).toBe(12);
  await w.stop();
});

test.each([
  { name: 'answers that the version makes no sense', answer: { fail: failure(504, 'Timeout') } },
  { name: 'error events', answer: { lines: [{ type: 'ERROR', object: { code: 500 } }] } },
  { name: 'events without an object', answer: { lines: [{ type: 'ADDED' }] } },
])('three times in a row $name lead to a new list', async ({ answer }) => {
  const w = world([{ list: page() }, answer, answer, answer, { list: page() }]);
  await w.clock.advance(10_000);
  expect(w.asked.map((line) => line.split(' ')[0])).toEqual(['list', 'watch', 'watch', 'watch', 'list', 'watch']);
  await w.stop();
});

test('a list whose pages expire is read again in larger pages', async () => {
  const w = world([{ list: page(['a'], 'more') }, { fail: gone }, { list: page(['a']) }]);
  await w.clock.advance(1000);
  expect(w.asked.map((line) => line.replace(/ @.*/, ''))).toEqual(['list 500 -', 'list 500 more', 'list 2000 -', 'watch 10']);
  expect(w.done).toEqual(['replace a 10']);
  await w.stop();
});

test('watches that end at once are not asked for without pause; those that end after their time are', async () => {
  const w = world([{ list: page() }, { lines: [] }, { lines: [] }, { lines: [], afterMs: 300_000 }]);
  await w.clock.advance(301_000);
  expect(w.asked.slice(1)).toEqual(['watch 10 @0', 'watch 10 @200', 'watch 10 @599', 'watch 10 @300599']);
  await w.stop();
});
