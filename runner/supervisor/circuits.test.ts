import { expect, test } from '@jest/globals';
import type { CircuitKey, CircuitRecords, OpenCircuit } from '../../store/circuits.ts';
import { Circuits, type CircuitState } from './circuits.ts';

const API: CircuitKey = { namespace: 'shop', host: 'api.example.com' };
const BREAKER = { failurePercent: 50, minimumRequests: 4, window: '10s', openFor: '30s' };

/** The table that runners share, with the semantics of store/circuits.ts and a clock that is set by hand. */
function sharedWorld(): { records: CircuitRecords; clock: { now: number }; rows: Map<string, OpenCircuit> } {
  const rows = new Map<string, OpenCircuit>();
  const clock = { now: 1_000_000 };
  const id = ({ namespace, host }: CircuitKey): string => `${namespace} ${host}`;
  return {
    rows, clock,
    records: {
      async open({ pauseMs, ...seen }) {
        if (!rows.has(id(seen))) rows.set(id(seen), { ...seen, trips: 1, openedAt: clock.now, retryAt: clock.now + pauseMs });
      },
      async probe({ holdMs, ...key }) {
        const row = rows.get(id(key));
        if (!row || row.retryAt > clock.now) return false;
        rows.set(id(key), { ...row, retryAt: clock.now + holdMs });
        return true;
      },
      async reopen({ pauseMs, trips, ...key }) {
        const row = rows.get(id(key));
        if (row && row.trips < trips) rows.set(id(key), { ...row, trips, retryAt: clock.now + pauseMs });
      },
      async close(key) {
        rows.delete(id(key));
      },
      list: async () => [...rows.values()],
    },
  };
}

interface Runner {
  circuits: Circuits;
  states: CircuitState[];
  refused(): number;
  errors: unknown[];
  /** Sends a request, if it may: what the host does with it decides how it went. */
  request(works: boolean, key?: CircuitKey): Promise<string>;
}

function runnerIn({ records, clock }: Pick<ReturnType<typeof sharedWorld>, 'records' | 'clock'>): Runner {
  const states: CircuitState[] = [];
  const errors: unknown[] = [];
  let refused = 0;
  const circuits = new Circuits({
    records, now: () => clock.now, onChange: (_, state) => states.push(state), onRefused: () => (refused += 1), onError: (error) => errors.push(error),
  });
  return {
    circuits, states, errors, refused: () => refused,
    async request(works, key = API) {
      try {
        const { probe } = await circuits.enter(key, BREAKER);
        await circuits.leave(key, BREAKER, { probe, failed: !works });
        return probe ? 'probe' : 'sent';
      } catch (error) {
        return (error as { code: string }).code;
      }
    },
  };
}

async function opened(world: ReturnType<typeof sharedWorld>): Promise<Runner> {
  const runner = runnerIn(world);
  for (let n = 0; n < 4; n += 1) await runner.request(false);
  return runner;
}

const good = true;
const bad = false;
test.each([
  { name: 'too few requests', requests: [bad, bad, bad], opens: false },
  { name: 'as many requests as are needed, all failed', requests: [bad, bad, bad, bad], opens: true },
  { name: 'exactly the share', requests: [good, good, bad, bad], opens: true },
  { name: 'less than the share', requests: [good, good, good, bad, bad], opens: false },
  { name: 'a request that works opens nothing, even above the share', requests: [bad, bad, bad, good], opens: false },
])('$name: opens $opens', async ({ requests, opens }) => {
  const world = sharedWorld();
  const runner = runnerIn(world);
  for (const works of requests) await runner.request(works);
  expect(runner.circuits.open).toBe(opens ? 1 : 0);
  expect(world.rows.size).toBe(opens ? 1 : 0);
});

test('what failed before the window does not count', async () => {
  const world = sharedWorld();
  const runner = runnerIn(world);
  for (let n = 0; n < 3; n += 1) await runner.request(bad);
  world.clock.now += 11_000;
  await runner.request(bad);
  expect(runner.circuits.open).toBe(0);
});

test('an open circuit holds requests back and says since when, and when the next is tried', async () => {
  const world = sharedWorld();
  const runner = await opened(world);
  world.clock.now += 29_999;
  await expect(runner.circuits.enter(API, BREAKER)).rejects.toMatchObject({
    code: 'CircuitOpen',
    message: 'No request is sent to api.example.com since 1970-01-01T00:16:40.000Z, because 4 of 4 failed. The next one is tried at 1970-01-01T00:17:10.000Z. Check the service; requests are sent again once one of them works.',
  });
  expect(runner.refused()).toBe(1);
});

test('other hosts, and the same host for other namespaces, are not concerned', async () => {
  const runner = await opened(sharedWorld());
  expect(await runner.request(good, { ...API, host: 'other.example.com' })).toBe('sent');
  expect(await runner.request(good, { ...API, namespace: 'billing' })).toBe('sent');
});

test('after the pause one request is tried; when it works, the circuit closes', async () => {
  const world = sharedWorld();
  const runner = await opened(world);
  world.clock.now += 30_000;
  const { probe } = await runner.circuits.enter(API, BREAKER);
  expect(probe).toBe(true);
  expect(await runner.request(good)).toBe('CircuitOpen');
  await runner.circuits.leave(API, BREAKER, { probe, failed: false });
  expect(await runner.request(good)).toBe('sent');
  expect(world.rows.size).toBe(0);
  expect(runner.states).toEqual(['Open', 'HalfOpen', 'Closed']);
});

test('the pause doubles each time the request that is tried fails, up to ten minutes', async () => {
  const world = sharedWorld();
  const runner = await opened(world);
  const pauses: number[] = [];
  for (let n = 0; n < 6; n += 1) {
    world.clock.now = [...world.rows.values()][0]?.retryAt ?? 0;
    expect(await runner.request(bad)).toBe('probe');
    pauses.push(([...world.rows.values()][0]?.retryAt ?? 0) - world.clock.now);
  }
  expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
});

test('a request that is tried and never ends gives its turn to another', async () => {
  const world = sharedWorld();
  const runner = await opened(world);
  world.clock.now += 30_000;
  expect((await runner.circuits.enter(API, BREAKER)).probe).toBe(true);
  world.clock.now += 30_000;
  expect(await runner.request(good)).toBe('probe');
});

test('requests that were under way when the circuit opened change nothing', async () => {
  const world = sharedWorld();
  const runner = await opened(world);
  await runner.circuits.leave(API, BREAKER, { probe: false, failed: false });
  expect(await runner.request(good)).toBe('CircuitOpen');
});

test('two runners: one opens for both, one of them tries, and both go on', async () => {
  const world = sharedWorld();
  const second = runnerIn(world);
  const first = await opened(world);
  await second.circuits.refresh();
  expect(await second.request(good)).toBe('CircuitOpen');
  world.clock.now += 30_000;
  const turns = await Promise.all([first, second, first, second].map((runner) => runner.circuits.enter(API, BREAKER).then(({ probe }) => probe, () => false)));
  expect(turns.filter(Boolean)).toHaveLength(1);
  await second.circuits.leave(API, BREAKER, { probe: true, failed: false });
  await first.circuits.refresh();
  expect(await first.request(good)).toBe('sent');
});

test('a turn that is asked for after another runner closed the circuit is an ordinary request', async () => {
  const world = sharedWorld();
  const runner = await opened(world);
  world.rows.clear();
  world.clock.now += 30_000;
  expect(await runner.request(good)).toBe('sent');
});

test('without the database a circuit opens for this runner all the same', async () => {
  const world = sharedWorld();
  const lost = new Error('no database');
  const runner = runnerIn({ ...world, records: { ...world.records, open: () => Promise.reject(lost) } });
  for (let n = 0; n < 4; n += 1) await runner.request(bad);
  expect(runner.errors).toEqual([lost]);
  expect(await runner.request(good)).toBe('CircuitOpen');
});
