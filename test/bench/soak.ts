import type { Benchmark, Figure } from './benchmark.ts';
import { runSeed } from '../full.ts';
import { runSoak, type Grown, type SoakReport } from './soak-run.ts';

/** How much more of each the last third of a soak may hold than the third before: noise, not a leak. A pool of connections and its clients may be at rest in one third and busy in the next. */
export const TOLERATED = { rss: { times: 1.15, plus: 15 }, heap: { times: 1.15, plus: 5 }, sockets: { times: 1, plus: 20 } };

export function isFlat({ what, before, after }: Grown): boolean {
  return after <= before * TOLERATED[what].times + TOLERATED[what].plus;
}

/** Not a measurement of speed but of trust. */
export const soak: Benchmark = {
  name: 'soak',
  about: 'mixed load while runners, an api and PostgreSQL are killed: every acknowledged execution ends as without faults, memory stays flat',
  once: true,
  flags: { minutes: 30, seed: runSeed },
  async run({ flags: { minutes = 30, seed = runSeed }, progress }) {
    const report = await runSoak({ seconds: minutes * 60, seed, progress });
    for (const wrong of report.wrong.slice(0, 10)) progress(`WRONG ${wrong}`);
    return soakFigures(report);
  },
};

export function soakFigures(report: SoakReport): Figure[] {
  const count = (name: string, value: number, atMost?: number): Figure => ({ name, value, unit: 'count', ...(atMost === undefined ? {} : { target: { atMost } }) });
  const units = { rss: 'MB', heap: 'MB', sockets: 'count' } as const;
  return [
    count('orders sent', report.sent),
    count('acknowledged', report.acknowledged),
    count('attempts that had to be repeated', report.repeated),
    { name: 'acknowledged that ended as without faults', value: (100 * report.right) / report.acknowledged, unit: '%', target: { atLeast: 99.9 } },
    count('executions beyond one per order', report.duplicates, 0),
    count('executions taken over', report.takenOver),
    count('requests to the double', report.requests),
    { ...count('distinct idempotency keys', report.effects), beside: { name: 'without faults', value: report.expectedEffects } },
    count('kill -9 of runners', report.faults.runnerKills),
    count('kill -9 of an api', report.faults.apiKills),
    count('restarts of PostgreSQL, and kill -9', report.faults.postgresRestarts + report.faults.postgresKills),
    count('failovers of PostgreSQL', report.faults.failovers),
    ...report.grown.map((each): Figure => ({
      name: `${each.process}: ${each.what}`, value: each.after, unit: units[each.what],
      target: { atMost: each.before * TOLERATED[each.what].times + TOLERATED[each.what].plus }, beside: { name: 'a third of the time before', value: each.before },
    })),
  ];
}
