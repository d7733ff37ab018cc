import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { CircuitBreaker, WorkflowNode } from '../../runner/engine/workflow.ts';
import { until } from '../eventually.ts';
import { chain, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';

jest.setTimeout(300_000);

/** A service that is down until it is not, and counts who calls. */
const service = { status: 503, calls: 0 };
let server: Server;
let world: RunnerFixture;
beforeAll(async () => {
  server = createServer((_, response) => {
    service.calls += 1;
    response.writeHead(service.status, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  world = await startRunnerFixture();
  await Promise.all(['default', 'other'].map((pool) => world.runner({ MILLRACE_POOL: pool })));
}, 180_000);
afterAll(async () => {
  await world.stop();
  await new Promise((resolve) => { server.close(resolve); });
});

const port = (): number => (server.address() as AddressInfo).port;

/** A workflow that calls the service, by a name of it that has a circuit of its own, in the pool of the same name. */
async function deploy(pool: string, host: string, circuitBreaker?: CircuitBreaker): Promise<string> {
  const call: WorkflowNode = { name: 'Call', type: 'httpRequest', parameters: { url: `http://${host}:${port()}/` } };
  const definition = chain(`call-${host}-${pool}-${circuitBreaker ? 'guarded' : 'plain'}`.replaceAll('.', '-'), [call], circuitBreaker && { settings: { circuitBreaker } });
  const key = { namespace: 'test', workflow: definition.name, uid: `uid-${definition.name}` };
  const { revision } = await world.store.revisions.put({ ...key, definition });
  await world.store.routes.apply({ ...key, active: true, stable: revision, pool, priority: 5, save: { success: 'All', failure: 'All' }, triggers: [] });
  return definition.name;
}

/** How an execution ended: its status, or the code of its error. */
async function outcome(workflow: string): Promise<string> {
  const { status, error } = await world.ended(await world.submit(workflow));
  return error?.code ?? status;
}

test('a circuit that one runner opened holds the requests of all back, but not those of workflows without it', async () => {
  const breaker: CircuitBreaker = { minimumRequests: 3, openFor: '10m' };
  const [mine, theirs, plain] = await Promise.all([deploy('default', '127.0.0.1', breaker), deploy('other', '127.0.0.1', breaker), deploy('other', '127.0.0.1')]);
  for (let n = 0; n < 3; n += 1) expect(await outcome(mine)).toBe('HttpStatus');
  expect(await until(async () => (await world.store.circuits.list())[0])).toMatchObject({ namespace: 'test', host: `127.0.0.1:${port()}`, trips: 1, requests: 3, failures: 3 });
  expect(await outcome(mine)).toBe('CircuitOpen');
  // The other runner is told by a message.
  await until(async () => (await outcome(theirs)) === 'CircuitOpen');
  const { calls } = service;
  expect([await outcome(mine), await outcome(theirs)]).toEqual(['CircuitOpen', 'CircuitOpen']);
  expect(service.calls).toBe(calls);
  expect(await outcome(plain)).toBe('HttpStatus');
});

test('once the service is well, a request of any runner closes the circuit for all', async () => {
  const breaker: CircuitBreaker = { minimumRequests: 1, openFor: '1s' };
  const [mine, theirs] = await Promise.all([deploy('default', 'localhost', breaker), deploy('other', 'localhost', breaker)]);
  const host = `localhost:${port()}`;
  const circuit = async () => (await world.store.circuits.list()).find((open) => open.host === host);
  expect(await outcome(mine)).toBe('HttpStatus');
  await until(circuit);
  // The request that is tried fails as well.
  await until(async () => (await outcome(theirs)) === 'HttpStatus');
  expect(await until(circuit)).toMatchObject({ requests: 1, failures: 1 });
  service.status = 200;
  await until(async () => (await outcome(theirs)) === 'Succeeded');
  await until(async () => (await circuit()) === undefined);
  await until(async () => (await outcome(mine)) === 'Succeeded');
});

test('sweeping leaves circuits that somebody may still ask about', async () => {
  await world.store.sweep();
  expect((await world.store.circuits.list()).map(({ host }) => host)).toEqual([`127.0.0.1:${port()}`]);
});

test('a result is used again by later executions, whichever executor has them, and is marked', async () => {
  service.status = 200;
  const call: WorkflowNode = { name: 'Call', type: 'httpRequest', parameters: { url: `http://127.0.0.1:${port()}/` }, cache: { ttl: '10m' } };
  const workflow = await world.deploy(chain('cached', [call]));
  const { calls } = service;
  const ids: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    const id = await world.submit(workflow);
    expect(await world.ended(id)).toMatchObject({ status: 'Succeeded' });
    ids.push(id);
  }
  expect(service.calls).toBe(calls + 1);
  const runs = await Promise.all(ids.map(async (id) => (await world.store.executions.nodeRuns(id, { node: 'Call' }))[0]));
  expect(runs.map((run) => run?.cached)).toEqual([undefined, true, true, true]);
  expect(runs.map((run) => run?.outputs)).toEqual(runs.map(() => runs[0]?.outputs));
  console.log(`cache hits took ${runs.slice(1).map((run) => `${run?.durationMs.toFixed(1)} ms`).join(', ')}`);
});
