import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { KubeError, LeadershipLostError } from './errors.ts';
import { LeaderElector } from './leader-election.ts';
import { silentLog } from './log.ts';
import { manualClock } from './manual-clock.ts';
import type { Lease } from './builtin.ts';
import type { ManualClock } from './manual-clock.ts';
import type { Client } from './client.ts';

const failure = (status: number, reason: string): KubeError => new KubeError({ status, reason, message: reason });

/** A server with one lease, and a way to it for each replica that can be cut or made slow. */
class LeaseServer {
  lease: Lease | undefined;
  #version = 0;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  client(link: { cut: boolean; hang: boolean; loseAnswer: boolean }): Client<Lease> {
    const reach = (signal: AbortSignal | undefined): Promise<void> => {
      if (link.cut) return Promise.reject(failure(0, 'ApiServerUnreachable'));
      if (!link.hang) return Promise.resolve();
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(failure(0, 'ApiServerTimeout')));
        this.#clock.after(5000, () => reject(failure(0, 'ApiServerTimeout')));
      });
    };
    const store = async (lease: Lease): Promise<Lease> => {
      this.#version += 1;
      this.lease = structuredClone({ ...lease, metadata: { ...lease.metadata, uid: 'u', resourceVersion: String(this.#version) } });
      if (link.loseAnswer) throw failure(0, 'ApiServerUnreachable');
      return structuredClone(this.lease);
    };
    return {
      async get(_key, options) {
        await reach(options?.signal);
        return structuredClone(server.lease);
      },
      async create(object, options) {
        await reach(options?.signal);
        if (server.lease) throw failure(409, 'AlreadyExists');
        return await store(object as Lease);
      },
      async replace(object, options) {
        await reach(options?.signal);
        if (!server.lease) throw failure(404, 'NotFound');
        if (server.lease.metadata.resourceVersion !== object.metadata.resourceVersion) throw failure(409, 'Conflict');
        return await store(object as Lease);
      },
    } as Pick<Client<Lease>, 'get' | 'create' | 'replace'> as Client<Lease>;
  }
}
let server: LeaseServer;

interface Replica {
  link: { cut: boolean; hang: boolean; loseAnswer: boolean };
  elector: LeaderElector;
  stop: AbortController;
  state: 'standby' | 'leading' | 'lost' | 'stopped';
}

function replica(identity: string, clock: ManualClock): Replica {
  const link = { cut: false, hang: false, loseAnswer: false };
  const elector = new LeaderElector({ client: server.client(link), key: 'ns/lease', identity, clock, log: silentLog });
  const self: Replica = { link, elector, stop: new AbortController(), state: 'standby' };
  void (async () => {
    await elector.acquire(self.stop.signal);
    if (!elector.leading) return;
    self.state = 'leading';
    try {
      await elector.hold(self.stop.signal);
      await elector.release();
      self.state = 'stopped';
    } catch (err) {
      expect(err).toBeInstanceOf(LeadershipLostError);
      self.state = 'lost';
    }
  })();
  return self;
}

function world(): { clock: ManualClock; a: Replica; b: Replica } {
  const clock = manualClock();
  server = new LeaseServer(clock);
  return { clock, a: replica('a', clock), b: replica('b', clock) };
}

test('one of two leads, and hands over at once when it stops', async () => {
  const { clock, a, b } = world();
  await clock.advance(60_000);
  expect([a.state, b.state]).toEqual(['leading', 'standby']);
  expect(server.lease?.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
  expect(server.lease?.spec?.renewTime).toMatch(/\.\d{6}Z$/);
  a.stop.abort();
  await clock.advance(2500);
  expect([a.state, b.state]).toEqual(['stopped', 'leading']);
  expect(server.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  b.stop.abort();
});

test.each(['cut', 'hang'] as const)('a leader that is %s off gives up 10 s after its last renewal, another leads no sooner than 15 s after it', async (how) => {
  const { clock, a, b } = world();
  await clock.advance(30_000);
  const renewedAt = Date.parse(server.lease?.spec?.renewTime ?? '') - clock.now() + clock.monotonic();
  a.link[how] = true;
  const end = { a: 0, b: 0 };
  while (b.state !== 'leading') {
    await clock.advance(50);
    if (a.state === 'lost') end.a ||= clock.monotonic();
    if (!a.elector.leading) end.b ||= clock.monotonic();
  }
  expect(end.a - renewedAt).toBeLessThanOrEqual(10_050);
  expect(end.b - renewedAt).toBeLessThanOrEqual(10_050);
  expect(clock.monotonic() - renewedAt).toBeGreaterThanOrEqual(15_000);
  expect(clock.monotonic() - renewedAt).toBeLessThanOrEqual(15_000 + 2 * 2400 + 100);
  b.stop.abort();
});

test('a short outage changes nothing', async () => {
  const { clock, a, b } = world();
  await clock.advance(20_000);
  a.link.cut = true;
  await clock.advance(7000);
  a.link.cut = false;
  await clock.advance(60_000);
  expect([a.state, b.state]).toEqual(['leading', 'standby']);
  a.stop.abort();
  b.stop.abort();
});

test('answers that are lost after the server has written do not cost the lease', async () => {
  const { clock, a, b } = world();
  await clock.advance(20_000);
  a.link.loseAnswer = true;
  await clock.advance(5000);
  a.link.loseAnswer = false;
  await clock.advance(20_000);
  expect([a.state, b.state]).toEqual(['leading', 'standby']);
  a.stop.abort();
  b.stop.abort();
});

test('a lease that somebody else took or deleted is lost at once', async () => {
  const { clock, a, b } = world();
  await clock.advance(20_000);
  b.stop.abort();
  if (server.lease?.spec) {
    server.lease.spec.holderIdentity = 'c';
    server.lease.metadata.resourceVersion = 'x';
  }
  await clock.advance(3000);
  expect(a.state).toBe('lost');
});

test('however links fail, at no time do two lead', async () => {
  const step = fc.record({
    who: fc.constantFrom('a' as const, 'b' as const),
    cut: fc.boolean(),
    hang: fc.boolean(),
    loseAnswer: fc.boolean(),
    forMs: fc.integer({ min: 100, max: 20_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const { clock, ...replicas } = world();
      for (const { who, forMs, ...link } of steps) {
        Object.assign(replicas[who].link, link);
        for (let t = 0; t < forMs; t += 500) {
          await clock.advance(500);
          const leading = [replicas.a, replicas.b].filter(({ elector }) => elector.leading);
          expect(leading.length).toBeLessThanOrEqual(1);
          // A process that lost exits and is started again.
          const lost = (['a', 'b'] as const).filter((name) => replicas[name].state === 'lost');
          for (const name of lost) replicas[name] = replica(`${name}${clock.monotonic()}`, clock);
        }
      }
      for (const { stop } of Object.values(replicas)) stop.abort();
      await clock.advance(10_000);
    }),
    { numRuns: 40 },
  );
});

test('durations that cannot work are refused', () => {
  const clock = manualClock();
  server = new LeaseServer(clock);
  const client = server.client({ cut: false, hang: false, loseAnswer: false });
  const options = { client, key: 'ns/l' as const, identity: 'a', clock, log: silentLog };
  expect(() => new LeaderElector({ ...options, leaseMs: 10_000 })).toThrow('leaseMs > renewMs');
  expect(() => new LeaderElector({ ...options, leaseMs: 15_500 })).toThrow('whole seconds');
});
