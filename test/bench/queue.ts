import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { median } from './benchmark.ts';
import { BATCH, type Contender, type OpenContender } from './queue-contender.ts';
import { openGraphileWorker } from './queue-graphile-worker.ts';
import { openLimit } from './queue-limit.ts';
import { openMillrace } from './queue-millrace.ts';
import { openPgBoss } from './queue-pg-boss.ts';

const CALLERS = 64;
const SINGLES = 4000;
const BATCHES = 100;
/** Jobs per second by phase; and what one job cost PostgreSQL in all, which other load on the machine does not change much. */
type Rates = Record<'one by one' | 'in batches' | 'claimed and completed' | 'cpuMicroseconds', number>;
const PHASES = ['one by one', 'in batches', 'claimed and completed'] as const satisfies readonly (keyof Rates)[];

const CONTENDERS: Record<'millrace' | 'graphile-worker' | 'pg-boss' | 'bare statements', OpenContender> = {
  'millrace': openMillrace, 'graphile-worker': openGraphileWorker, 'pg-boss': openPgBoss, 'bare statements': openLimit,
};
const NAMES = ['millrace', 'graphile-worker', 'pg-boss', 'bare statements'] as const satisfies readonly (keyof typeof CONTENDERS)[];

/** Our queue and the two libraries that could have been used instead, on one server with the same durability, in turns. */
export const queue: Benchmark = {
  name: 'queue',
  about: `jobs/s: enqueued by ${CALLERS} callers, enqueued ${BATCH} at a time, claimed and completed; fsync, full_page_writes, synchronous_commit on`,
  async run({ runs, progress }) {
    const postgres = await startPostgres();
    const results = new Map<string, Rates[]>();
    const contenders: Contender[] = [];
    try {
      for (const name of NAMES) contenders.push(await CONTENDERS[name](await postgres.database()));
      // One round that does not count: plans, caches and files that grow for the first time.
      for (const contender of contenders) await measure(postgres, contender);
      for (const contender of Array.from({ length: runs }, () => contenders).flat()) {
        const rates = await measure(postgres, contender);
        results.set(contender.name, [...results.get(contender.name) ?? [], rates]);
        progress(`${contender.name}: ${PHASES.map((phase) => `${phase} ${Math.round(rates[phase])}/s`).join(', ')}, ${Math.round(rates.cpuMicroseconds)} µs`);
      }
    } finally {
      await Promise.allSettled(contenders.map(async (contender) => contender.close()));
      await postgres.stop();
    }
    return figures(results);
  },
};

async function rate(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return count / ((performance.now() - start) / 1000);
}

async function measure(postgres: Postgres, contender: Contender): Promise<Rates> {
  const calls = async (count: number, callers: number, call: () => Promise<void>): Promise<void> => {
    let left = count;
    await Promise.all(Array.from({ length: callers }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }));
  };
  const singles = await rate(SINGLES, async () => calls(SINGLES, CALLERS, async () => contender.enqueue()));
  await contender.drain(SINGLES);
  const queued = BATCHES * BATCH;
  const before = postgres.cpuMs();
  return {
    'one by one': singles,
    'in batches': await rate(queued, async () => calls(BATCHES, 2, async () => contender.enqueueBatch(BATCH))),
    'claimed and completed': await rate(queued, async () => contender.drain(queued)),
    cpuMicroseconds: (postgres.cpuMs() - before) * 1000 / queued,
  };
}

function figures(results: ReadonlyMap<string, readonly Rates[]>): Figure[] {
  const of = (name: string, phase: keyof Rates): number => median((results.get(name) ?? []).map((rates) => rates[phase]));
  const others = NAMES.filter((name) => name !== 'millrace');
  const rates = PHASES.flatMap((phase) => others.map((name): Figure => ({
    name: `${phase}, beside ${name}`, value: of('millrace', phase), unit: '/s', beside: { name, value: of(name, phase) },
  })));
  return [...rates, ...others.map((name): Figure => ({
    name: `PostgreSQL's processor time for 1,000 jobs, beside ${name}`, value: of('millrace', 'cpuMicroseconds'), unit: 'ms', beside: { name, value: of(name, 'cpuMicroseconds') },
  }))];
}
