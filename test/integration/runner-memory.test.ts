import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { LOADS, memoryEnvironment, RUNNER_BYTES, runLoad } from '../bench/memory.ts';
import { startSystem, type MillraceSystem } from '../bench/system.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';

jest.setTimeout(400_000);

let postgres: Postgres;
let system: MillraceSystem;

beforeAll(async () => {
  postgres = await startPostgres();
  system = await startSystem({ postgres, executors: 1, runnerEnv: memoryEnvironment });
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await postgres.stop();
});

test.each(LOADS)('$name: ends in a runner of 512 MiB, in one life', async (load) => {
  const { supervisor, executor } = await runLoad(system, load);
  expect(supervisor + executor).toBeLessThan(RUNNER_BYTES);
});
