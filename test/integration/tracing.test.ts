import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowDefinition, WorkflowNode } from '../../runner/engine/workflow.ts';
import type { RouteTrigger } from '../../store/route.ts';
import type { Store } from '../../store/store.ts';
import { startEffectServer, type EffectServer } from '../doubles/effect-server.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../doubles/otlp-receiver.ts';
import { eventually } from '../eventually.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';
import { newStore } from '../postgres/test-store.ts';
import { startRole, type RoleProcess } from './role-process.ts';
import { chain } from './runner-fixture.ts';

jest.setTimeout(120_000);

const SECRET = 'hunter2-planted-secret';
/** Nothing is asked of the cluster here; the api only wants to know where it is. */
const KUBECONFIG = JSON.stringify({
  apiVersion: 'v1', kind: 'Config', 'current-context': 'none', contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
  clusters: [{ name: 'none', cluster: { server: 'https://127.0.0.1:1' } }], users: [{ name: 'none', user: {} }],
});

let postgres: Postgres;
let store: Store;
let effects: EffectServer;
let receiver: OtlpReceiver;
let directory: string;
let api: RoleProcess;
let runner: RoleProcess;

beforeAll(async () => {
  [postgres, effects, receiver] = await Promise.all([startPostgres(), startEffectServer(), startOtlpReceiver()]);
  const opened = await newStore(postgres);
  ({ store } = opened);
  directory = await mkdtemp(join(tmpdir(), 'millrace-tracing-'));
  await writeFile(join(directory, 'kubeconfig'), KUBECONFIG);
  const env = {
    KUBECONFIG: join(directory, 'kubeconfig'), MILLRACE_DATABASE_URL: opened.url, POD_NAMESPACE: 'millrace', MILLRACE_EXECUTORS: '1', MILLRACE_STALL_MS: '1500',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_HEADERS: `authorization=${SECRET}`, OTEL_BSP_SCHEDULE_DELAY: '100', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
  };
  [api, runner] = await Promise.all([startRole('api', env), startRole('runner', env)]);
}, 180_000);

afterAll(async () => {
  await Promise.all([api.stop(), runner.stop()]);
  await store.close();
  await Promise.all([postgres.stop(), effects.close(), receiver.close(), rm(directory, { recursive: true })]);
});

beforeEach(() => expect(receiver.refused()).toEqual([]));

async function deploy(definition: WorkflowDefinition, triggers: RouteTrigger[] = []): Promise<void> {
  const key = { namespace: 'test', workflow: definition.name, uid: `uid-${definition.name}` };
  const { revision } = await store.revisions.put({ ...key, definition });
  await store.routes.apply({ ...key, active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers });
  // The api hears of a route a moment later. A call by another method than the webhook's starts nothing.
  if (triggers.length > 0) await eventually(async () => expect((await fetch(`http://127.0.0.1:${api.port}/webhook/test/${definition.name}`)).status).toBe(405));
}

/** A workflow of this name that answers a webhook at a path of the same name when it ends. */
function onCall(name: string, nodes: readonly WorkflowNode[]): [WorkflowDefinition, RouteTrigger[]] {
  const definition = chain(name, nodes, { start: 'webhook' });
  const [start, ...rest] = definition.nodes;
  const parameters = { httpMethod: 'POST', path: name, responseMode: 'lastNode' };
  return [{ ...definition, nodes: [{ name: 'Start', type: 'webhook', ...start, parameters }, ...rest] }, [hookOf(name)]];
}

const hookOf = (path: string): RouteTrigger => ({ kind: 'Webhook', node: 'Start', method: 'POST', path, responseMode: 'lastNode', options: {} });
const keep: WorkflowNode = { name: 'Keep', type: 'set', parameters: { mode: 'raw', jsonOutput: '={{ { key: $json.body.key } }}' } };
const send = (path: string): WorkflowNode => ({ name: 'Send', type: 'httpRequest', parameters: { method: 'POST', url: `${effects.url}${path}?key=${SECRET}` } });
const fail: WorkflowNode = { name: 'Fail', type: 'stopAndError', parameters: { errorMessage: `not with ${SECRET}` } };

async function call(path: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${api.port}/webhook/test/${path}`, {
    method: 'POST', body: JSON.stringify({ key: SECRET }), headers: { 'content-type': 'application/json', 'x-api-key': SECRET, ...headers },
  });
  await response.arrayBuffer();
  return response.status;
}

/** The spans of a trace as a tree of names, children in the order in which they began. */
function treeOf(spans: readonly ReceivedSpan[], parentId: string | undefined): object[] {
  return spans.filter((span) => span.parentId === parentId).sort((a, b) => a.startMs - b.startMs).map((span) => {
    const children = treeOf(spans, span.spanId);
    return { [span.name]: children, kind: span.kind, service: span.service, ...(span.error === undefined ? {} : { error: span.error }) };
  });
}

const inTrace = (traceId: string): ReceivedSpan[] => receiver.spans().filter((span) => span.traceId === traceId);

test('a webhook call is one trace, from the caller over api and runner to the services that nodes call', async () => {
  await deploy(...onCall('orders', [keep, send('/orders'), fail]));
  const [traceId, callerId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
  expect(await call('orders', { traceparent: `00-${traceId}-${callerId}-01` })).toBe(500);
  await eventually(() => {
    const run = { kind: 'internal', service: 'millrace-runner' };
    expect(treeOf(inTrace(traceId), callerId)).toEqual([
      {
        kind: 'server', service: 'millrace-api', error: '500',
        'POST /webhook/…': [
          {
            kind: 'producer', service: 'millrace-api',
            enqueue: [
              {
                kind: 'consumer', service: 'millrace-runner',
                claim: [{ 'execution test/orders': expect.any(Array), ...run, error: 'WorkflowStopped' }],
              },
            ],
          },
        ],
      },
    ]);
  }, { withinMs: 20_000 });
  const spans = inTrace(traceId);
  const byName = (name: string) => spans.find((span) => span.name === name);
  const execution = byName('execution test/orders');
  expect(treeOf(spans, execution?.spanId)).toMatchObject([{ Start: [] }, { Keep: [] }, { Send: [] }, { Fail: [], error: 'WorkflowStopped' }]);
  expect(execution?.attributes).toMatchObject({ 'millrace.workflow.name': 'orders', 'millrace.execution.status': 'Failed', 'millrace.pool': 'default', 'millrace.execution.life': 1 });
  expect(byName('Fail')?.events).toEqual(['exception WorkflowStopped']);
  expect(effects.requests('/orders').map(({ traceparent }) => traceparent)).toEqual([`00-${traceId}-${byName('Send')?.spanId}-01`]);
  for (const { startMs, endMs } of spans) expect(endMs).toBeGreaterThanOrEqual(startMs);
});

test('sub-workflows are beneath the node that called them; those that nobody waits for are executions in the same trace', async () => {
  await deploy(chain('child', [send('/child')], { start: 'executeWorkflowTrigger' }));
  const callChild = (name: string, waitForSubWorkflow: boolean): WorkflowNode => ({ name, type: 'executeWorkflow', parameters: { workflowId: 'child', options: { waitForSubWorkflow } } });
  await deploy(...onCall('parent', [callChild('Wait', true), callChild('Go', false)]));
  const traceId = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
  expect(await call('parent', { traceparent: `00-${traceId}-bbbbbbbbbbbbbbbb-01` })).toBe(200);
  await eventually(() => {
    const spans = inTrace(traceId);
    const execution = spans.find(({ name }) => name === 'execution test/parent');
    expect(treeOf(spans, execution?.spanId)).toMatchObject([{ Start: [] }, { Wait: [{ 'workflow test/child': [{ Start: [] }, { Send: [] }] }] }, { Go: [] }, { claim: [{ 'execution test/child': expect.any(Array) }] }]);
  }, { withinMs: 20_000 });
});

test('an execution that takes its executor down ends its span with the reason', async () => {
  await deploy(...onCall('stuck', [{ name: 'Hang', type: 'code', parameters: { jsCode: 'for (;;) {}' } }]));
  const traceId = 'cccccccccccccccccccccccccccccccc';
  expect(await call('stuck', { traceparent: `00-${traceId}-bbbbbbbbbbbbbbbb-01` })).toBe(500);
  await eventually(() => {
    const lives = inTrace(traceId).filter(({ name }) => name === 'execution test/stuck');
    expect(lives.length).toBeGreaterThan(0);
    for (const { error } of lives) expect(error).toEqual(expect.stringMatching(/^\w+$/));
  }, { withinMs: 20_000 });
});

test('a caller that does not record its trace is followed: nothing is sent, and no header goes out', async () => {
  await deploy(...onCall('quiet', [send('/quiet')]));
  const traceId = 'dddddddddddddddddddddddddddddddd';
  expect(await call('quiet', { traceparent: `00-${traceId}-bbbbbbbbbbbbbbbb-00` })).toBe(200);
  expect(await call('quiet', { traceparent: 'ff-broken' })).toBe(200);
  await eventually(() => expect(receiver.spans().filter(({ name }) => name === 'execution test/quiet')).toHaveLength(1), { withinMs: 20_000 });
  expect(inTrace(traceId)).toEqual([]);
  expect(effects.requests('/quiet').map(({ traceparent }) => traceparent !== undefined)).toEqual([false, true]);
});

test('a tick of a schedule begins a trace, and its execution goes on with it', async () => {
  const every: RouteTrigger = { kind: 'Schedule', node: 'Start', options: { rules: [{ cron: '* * * * * *' }], timezone: 'UTC', misfire: 'skip', misfireLimit: 1, jitterMs: 0 } };
  const definition = chain('nightly', [keep]);
  const key = { namespace: 'test', workflow: definition.name, uid: `uid-${definition.name}` };
  const { revision } = await store.revisions.put({ ...key, definition });
  await store.routes.apply({ ...key, active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [every] });
  await eventually(() => {
    const tick = receiver.spans().find(({ name, traceId }) => name === 'tick' && inTrace(traceId).some((span) => span.name === 'execution test/nightly'));
    expect(treeOf(inTrace(tick?.traceId ?? ''), undefined)).toMatchObject([{ tick: [{ claim: [{ 'execution test/nightly': [{ Start: [] }, { Keep: [] }] }] }], kind: 'producer', service: 'millrace-api' }]);
  }, { withinMs: 20_000 });
  await store.routes.remove(key);
});

test('no data and no secret is in a trace', () => {
  expect(receiver.raw().length).toBeGreaterThan(1000);
  expect(receiver.raw()).not.toContain(SECRET);
});
