import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { runMap } from '../bench/map.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';

jest.setTimeout(400_000);

const MIB = 2 ** 20;
/** Whoever held all items, once, would grow by what there is more of them: 85 MiB. */
const NOISE = 60 * MIB;
/** Make a supervisor collect what it no longer needs; executors have their limits anyway. */
const NODE_FLAGS = ['--max-old-space-size=96', '--max-semi-space-size=4'];
const ROW_BYTES = 5000;
const FEW = 2000;
const MANY = 20_000;

let postgres: Postgres;
beforeAll(async () => { postgres = await startPostgres(); });
afterAll(async () => postgres.stop());

test(`${Math.round((MANY * ROW_BYTES) / MIB)} MiB of items need no more memory in any process than ${Math.round((FEW * ROW_BYTES) / MIB)}`, async () => {
  const load = { source: 'file', itemsInPart: 100, rowBytes: ROW_BYTES, nodeFlags: NODE_FLAGS } as const;
  const few = await runMap(postgres, { ...load, items: FEW });
  const many = await runMap(postgres, { ...load, items: MANY });
  const grown = Object.entries(many.peaks).map(([name, peak]) => ({ name, mib: Math.round(peak / MIB), more: Math.round((peak - (few.peaks[name] ?? 0)) / MIB) }));
  expect(grown).toHaveLength(4);
  expect(grown.filter(({ more }) => more * MIB > NOISE)).toEqual([]);
});
