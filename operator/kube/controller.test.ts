import { expect, test } from '@jest/globals';
import { Controller } from './controller.ts';
import { KubeError, StalledError, TerminalError, WaitingError } from './errors.ts';
import { silentLog } from './log.ts';
import { manualClock } from './manual-clock.ts';
import type { ControllerOptions, Pass, Result } from './controller.ts';
import type { Log } from './log.ts';
import type { ManualClock } from './manual-clock.ts';
import type { WatchSink } from './watch.ts';

interface World {
  clock: ManualClock;
  controller: Controller;
  passes: string[];
  results: string[];
  drain: AbortController;
  stopping: AbortController;
  running: Promise<void>;
}

function world(reconcile: (key: string, pass: Pass) => Promise<Result>, options: Partial<ControllerOptions> & { mayWork?: () => boolean; log?: Log; clock?: ManualClock } = {}): World {
  const { mayWork = () => true, log = silentLog, clock = manualClock(() => 0.999), ...rest } = options;
  const passes: string[] = [];
  const results: string[] = [];
  const controller = new Controller(
    {
      name: 'test',
      rbac: [],
      watches: [],
      reconcile: (key, pass) => {
        passes.push(key);
        return reconcile(key, pass);
      },
      ...rest,
    },
    {
      clock,
      log,
      mayWork,
      observer: { queue: { depth() {}, added() {}, taken() {}, retried() {} }, passed: (result) => results.push(result), active() {}, mappingFailed() {} },
    },
  );
  const drain = new AbortController();
  const stopping = new AbortController();
  return { clock, controller, passes, results, drain, stopping, running: controller.run({ drain: drain.signal, stopping: stopping.signal }) };
}

test.each<{ name: string; err: unknown; result: string; again: number | undefined }>([
  { name: 'waiting comes again after its time', err: new WaitingError('NotYet', { afterMs: 5000 }), result: 'waiting', again: 5000 },
  { name: 'stalled does not come again', err: new StalledError('BadSpec'), result: 'stalled', again: undefined },
  { name: 'terminal does not come again', err: new TerminalError('Broken'), result: 'terminal', again: undefined },
  { name: 'a conflict comes again soon', err: new KubeError({ status: 409, reason: 'Conflict', message: '' }), result: 'conflict', again: 20 },
  { name: 'any other error comes again soon', err: new Error('oops'), result: 'failed', again: 20 },
  { name: 'not before the server wants it', err: new KubeError({ status: 429, reason: 'TooManyRequests', message: '', retryAfterMs: 3000 }), result: 'failed', again: 3020 },
])('after an error: $name', async ({ err, result, again }) => {
  const { clock, controller, passes, results, drain, running } = world(() => Promise.reject(err));
  controller.enqueue('ns/a');
  await clock.advance(0);
  expect([passes.length, results]).toEqual([1, [result]]);
  await clock.advance((again ?? 3_600_000) - 10);
  expect(passes.length).toBe(1);
  await clock.advance(20);
  expect(passes.length).toBe(again === undefined ? 1 : 2);
  drain.abort();
  await running;
});

test('a result can ask for another pass', async () => {
  const { clock, controller, passes, drain, running } = world(async () => (passes.length < 3 ? { requeueAfterMs: 1000 } : {}));
  controller.enqueue('ns/a');
  await clock.advance(10_000);
  expect(passes.length).toBe(3);
  drain.abort();
  await running;
});

test('a pass is told when its time is over, and its key is not handed out meanwhile', async () => {
  const aborted: string[] = [];
  const { clock, controller, passes, results, drain, running } = world(
    (key, { signal, stopping }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(`${key} ${stopping.aborted}`);
          reject(signal.reason);
        });
      }),
    { deadlineMs: 1000 },
  );
  controller.enqueue('ns/a');
  await clock.advance(500);
  controller.enqueue('ns/a');
  await clock.advance(400);
  expect([passes, aborted]).toEqual([['ns/a'], []]);
  await clock.advance(200);
  expect([aborted, results]).toEqual([['ns/a false'], ['failed']]);
  drain.abort();
  await clock.advance(10_000);
  await running;
});

test('a pass that ignores its deadline is a problem for the liveness probe', async () => {
  let finish: (result: Result) => void = () => {};
  const { clock, controller, drain, running } = world(() => new Promise((resolve) => (finish = resolve)), { deadlineMs: 1000 });
  controller.enqueue('ns/a');
  await clock.advance(30_000);
  expect(controller.problems()).toEqual([]);
  await clock.advance(60_000);
  expect(controller.problems()).toEqual(['controller test is stuck in ns/a']);
  finish({});
  await clock.advance(0);
  expect(controller.problems()).toEqual([]);
  drain.abort();
  await running;
});

test('stopping waits for the passes under way, and leaves no timer', async () => {
  let finish: (result: Result) => void = () => {};
  const { clock, controller, passes, drain, running } = world(() => new Promise((resolve) => (finish = resolve)), { concurrency: 1 });
  controller.enqueue('ns/a');
  controller.enqueue('ns/b');
  controller.enqueue('ns/c', 1000);
  await clock.advance(0);
  drain.abort();
  let ended = false;
  void running.then(() => (ended = true));
  await clock.advance(100);
  expect([passes, ended]).toEqual([['ns/a'], false]);
  finish({ requeueAfterMs: 10 });
  await running;
  expect(clock.pending).toBe(0);
});

test('nothing is done while another replica may lead', async () => {
  let mayWork = false;
  const { clock, controller, passes, drain, running } = world(async () => ({}), { mayWork: () => mayWork });
  controller.enqueue('ns/a');
  await clock.advance(10);
  expect(passes).toEqual([]);
  mayWork = true;
  await clock.advance(100);
  expect(passes).toEqual(['ns/a']);
  drain.abort();
  await running;
});

test('a mapping that fails is tried again with growing delays, and stops with the controller', async () => {
  let sink: WatchSink | undefined;
  let tries = 0;
  const { clock, controller, drain, running } = world(async () => ({}));
  controller.watch({
    start(given) {
      sink = given;
      return () => {};
    },
  });
  const again = (): void => {
    tries += 1;
    sink?.failed({ err: new Error('mapping'), source: 'ns/s', attempt: tries, again });
  };
  sink?.failed({ err: new Error('mapping'), source: 'ns/s', attempt: 0, again });
  await clock.advance(1000);
  expect(tries).toBeGreaterThanOrEqual(3);
  expect(tries).toBeLessThan(10);
  drain.abort();
  await running;
  expect(clock.pending).toBe(0);
});

test('passes that wait for nothing leave the event loop its turns', async () => {
  const clock = manualClock();
  let time = 0;
  let turns = 0;
  const { controller, passes, drain, running } = world(async () => {
    time += 1;
    return {};
  }, { clock: { ...clock, pending: 0, monotonic: () => time } });
  for (let index = 0; index < 1000; index += 1) controller.enqueue(`ns/${index}`);
  while (passes.length < 1000) {
    await new Promise((resolve) => { setImmediate(resolve); });
    turns += 1;
  }
  expect(turns).toBeGreaterThanOrEqual(40);
  drain.abort();
  await running;
});

test('keys that come after leadership is lost are not failures, and come again should it not be lost after all', async () => {
  let leads = false;
  const { clock, controller, passes, results, drain, running } = world(async () => ({}), { mayWork: () => leads });
  controller.enqueue('ns/a');
  await clock.advance(0);
  expect({ passes, results }).toEqual({ passes: [], results: ['stopped'] });
  leads = true;
  await clock.advance(1000);
  expect(results).toEqual(['stopped', 'done']);
  drain.abort();
  await running;
});
