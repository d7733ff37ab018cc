import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeCluster } from '../../api/testdata/fake-cluster.ts';
import { startServer } from '../../api/server.ts';
import type { ApiServer } from '../../api/server.ts';
import type { RequestOptions } from '../../operator/kube/cluster.ts';
import { KubeError } from '../../operator/kube/errors.ts';
import { silentLog } from '../../operator/kube/log.ts';
import { migrate, openStore } from '../../store/store.ts';
import type { Store } from '../../store/store.ts';
import { startPostgres } from '../postgres/postgres.ts';
import type { Postgres } from '../postgres/postgres.ts';
import { full } from '../full.ts';
import { schemathesis } from '../schemathesis/schemathesis.ts';
import { startStandInRunner } from './api-stand-in-runner.ts';

/** Test cases per endpoint; `npm run test:full` tries more. The seed is fixed unless MILLRACE_TEST_SEED names another. */
const examples = full ? 100 : 15;
const seed = process.env['MILLRACE_TEST_SEED'] ?? '7';

let postgres: Postgres;
let store: Store;
let api: ApiServer;
let runner: { stop(): Promise<void> };
let dir: string;

/** Everybody may do everything; the cluster echoes what it is given and has nothing to delete. */
class OpenCluster extends FakeCluster {
  override async request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    if (path.includes('tokenreviews')) return { status: { authenticated: true, user: { username: 'fuzzer' } } } as T;
    if (path.includes('subjectaccessreviews')) return { status: { allowed: true } } as T;
    if (options.method === 'DELETE') throw new KubeError({ status: 404, reason: 'NotFound', message: `DELETE ${path}: not found` });
    return { ...(options.body as object) } as T;
  }
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-fuzz-'));
  postgres = await startPostgres();
  const url = await postgres.database();
  await migrate({ url, applicationName: 'test' });
  store = await openStore({ url, applicationName: 'api' });
  const definition = { id: 'shop/orders', name: 'orders', nodes: [{ name: 'Hook', type: 'webhook', parameters: { path: 'orders' } }], connections: [] };
  const { revision } = await store.revisions.put({ namespace: 'shop', workflow: 'orders', uid: 'u1', definition });
  await store.routes.apply({ namespace: 'shop', workflow: 'orders', uid: 'u1', active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [] });
  runner = await startStandInRunner(store, async () => ({ status: 'Succeeded', runs: [] }));
  api = await startServer({
    store, cluster: new OpenCluster(), log: silentLog, version: '0.0.0', clock: { now: () => Date.now(), monotonic: () => performance.now() },
    config: {
      baseUrl: undefined, port: 0, healthPort: 0, audiences: [], proxyHops: 0, drainMs: 1000,
      limits: { bodyBytes: 1_000_000, fileBytes: 1_000_000, bodyBytesInFlight: 100_000_000, webhooksInFlight: 1000, responseMs: 1000, requestMs: 10_000, userRequestsPerSecond: 100_000 },
    },
  });
}, 240_000);

afterAll(async () => {
  await api.stop();
  await runner.stop();
  await store.close();
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

test('whatever is sent, the API answers as its OpenAPI document says', async () => {
  const program = await schemathesis();
  const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
    execFile(program, [
      'run', `http://127.0.0.1:${api.port}/api/v1/openapi.json`, '--url', `http://127.0.0.1:${api.port}/api/v1`,
      // Streams go on until the caller has enough; waiting for that says nothing.
      '--exclude-operation-id', 'followExecution', '--exclude-operation-id', 'listenWorkflow',
      '--header', 'Authorization: Bearer fuzzer', '--checks', 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection',
      '--max-examples', String(examples), '--seed', seed, '--phases', 'coverage,fuzzing', '--request-timeout', '60', '--continue-on-failure', '--no-color',
    ], { cwd: dir, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => resolve({ code: error ? 1 : 0, output: `${stdout}${stderr}` }));
  });
  expect({ code, output: code === 0 ? '' : output.slice(-20_000) }).toEqual({ code: 0, output: '' });
  expect(Number(/(\d+) selected/.exec(output)?.[1])).toBeGreaterThan(20);
}, full ? 3_600_000 : 900_000);
