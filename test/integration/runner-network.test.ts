import { mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { until } from '../eventually.ts';
import { startCutOffNetwork, type CutOffNetwork, type Lost } from './cut-off-network.ts';
import { whyNoNamespaces } from './privileges.ts';
import { chain, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';
import type { RunnerProcess } from './runner-process.ts';

jest.setTimeout(240_000);

const reason = whyNoNamespaces('--net');
if (reason !== undefined) console.log(`Skipped, the network of a runner cannot be cut here: ${reason}`);
const [testAsRoot, setUp] = reason === undefined ? [test.each, beforeAll] : [test.skip.each, (): void => undefined];
const LEASE_MS = 4000;

let world: RunnerFixture;
let network: CutOffNetwork;
let folder: string;
/** Goes on with the work. */
let other: RunnerProcess | undefined;
/** Runs behind the link that is cut. */
let remote: RunnerProcess;

setUp(async () => {
  network = await startCutOffNetwork();
  folder = await mkdtemp(join(tmpdir(), 'millrace-network-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'hba'), 'host all all 127.0.0.1/32 trust\nhost all all samenet trust\n');
  world = await startRunnerFixture({
    postgres: { settings: { listen_addresses: `'127.0.0.1,${network.host}'`, hba_file: `'${join(folder, 'hba')}'` } },
    address: network.host,
  });
  remote = await world.runner({ MILLRACE_LEASE_MS: String(LEASE_MS), MILLRACE_EXECUTORS: '1' }, network);
}, 120_000);
afterEach(async () => {
  await other?.kill();
  await network?.heal();
});
afterAll(async () => {
  await world?.stop();
  await network?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

testAsRoot<{ lost: Lost }>([{ lost: 'requests' }, { lost: 'answers' }, { lost: 'both' }])('packets of a runner and its database get lost ($lost): another one goes on, the first writes nothing when it is back', async ({ lost }) => {
  const call = (name: string): { name: string; type: string; parameters: { method: string; url: string } } =>
    ({ name, type: 'httpRequest', parameters: { method: 'POST', url: `${world.effects.url}/${lost}/${name.toLowerCase()}` } });
  const requests = (path: string): unknown[] => world.effects.requests(`/${lost}/${path}`).map((headers) => headers['idempotency-key']);
  const workflow = await world.deploy(chain(lost, [call('First'), call('Held'), call('Last')]));
  world.effects.hold(`/${lost}/held`);
  const id = await world.submit(workflow);
  await until(() => requests('held').length === 1);

  // It still believes in its lease, and has something to write: that stays under way until the network is back.
  await network.cut(world.postgres.port, lost);
  world.effects.release(`/${lost}/held`);
  other = await world.runner({ MILLRACE_LEASE_MS: String(LEASE_MS), MILLRACE_EXECUTORS: '1' });
  const ended = await world.ended(id);
  expect(ended).toMatchObject({ status: 'Succeeded', lastNode: 'Last', runner: expect.any(String) });
  expect(ended.attempts).toBeGreaterThan(1);
  // What the first one had under way is done again unless its checkpoint got through, under the same key; what comes after it is done by the other alone.
  expect([requests('first').length, requests('last').length]).toEqual([1, 1]);
  expect(new Set([...requests('first'), ...requests('held'), ...requests('last')]).size).toBe(3);
  await other.terminate();

  await network.heal();
  const next = await world.submit(workflow);
  // A claim that was under way in the network may have taken it for a runner that no longer waits for the answer: then it is claimed twice.
  expect(await world.ended(next)).toMatchObject({ status: 'Succeeded', crashes: 0, runner: expect.not.stringMatching(ended.runner ?? '') });
  expect(await world.store.executions.get(id)).toMatchObject(ended);
  expect(remote.output()).toMatch(/Gave up all executions/);
});
