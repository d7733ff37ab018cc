import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FakeCluster } from '../../api/testdata/fake-cluster.ts';
import { startServer } from '../../api/server.ts';
import type { ApiServer } from '../../api/server.ts';
import { formTriggers } from '../../operator/controllers/workflow/form-triggers.ts';
import { webhookTriggers } from '../../operator/controllers/workflow/webhook-triggers.ts';
import { silentLog } from '../../operator/kube/log.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { eventually } from '../eventually.ts';
import { startRunnerFixture } from './runner-fixture.ts';
import type { RunnerFixture } from './runner-fixture.ts';

let world: RunnerFixture;
let api: ApiServer;

const connect = (...names: string[]) => names.slice(1).map((to, index) => ({ from: names[index] ?? '', output: 0, to, input: 0, type: 'main' }));

/** Two pages, an answer made of both, and a last page. */
const survey: WorkflowDefinition = {
  id: 'test/survey', name: 'survey', connections: connect('First', 'Second', 'Sum', 'End'),
  nodes: [
    { name: 'First', type: 'formTrigger', parameters: { path: 'survey', formTitle: 'First page', formFields: { values: [{ fieldLabel: 'Name', requiredField: true }] } } },
    { name: 'Second', type: 'form', parameters: { options: { formTitle: '=Hello {{ $json.Name }}' }, formFields: { values: [{ fieldLabel: 'File', fieldType: 'file', multipleFiles: false }] } } },
    { name: 'Sum', type: 'code', parameters: { jsCode: "return [{ json: { text: `${$('First').first().json.Name} sent ${$input.first().json.File.filename}` }, binary: $input.first().binary }];" } },
    { name: 'End', type: 'form', parameters: { operation: 'completion', completionTitle: 'Done', completionMessage: '={{ $json.text }}' } },
  ],
};

/** Answers with its own resume address first, and once that was called with what came. */
const approval: WorkflowDefinition = {
  id: 'test/approval', name: 'approval', connections: connect('Ask', 'Tell', 'Wait', 'Say'),
  nodes: [
    { name: 'Ask', type: 'webhook', parameters: { path: 'approval', responseMode: 'responseNode' } },
    { name: 'Tell', type: 'respondToWebhook', parameters: { respondWith: 'text', responseBody: '={{ $execution.resumeUrl }}' } },
    { name: 'Wait', type: 'wait', typeVersion: 1.1, parameters: { resume: 'webhook', responseMode: 'lastNode' } },
    { name: 'Say', type: 'set', typeVersion: 3.4, parameters: { assignments: { assignments: [{ id: '1', name: 'approved', value: '={{ $json.query.by }}', type: 'string' }] } } },
  ],
};

beforeAll(async () => {
  world = await startRunnerFixture();
  await world.runner();
  for (const definition of [survey, approval]) {
    const key = { namespace: 'test', workflow: definition.name, uid: `uid-${definition.name}` };
    const { revision } = await world.store.revisions.put({ ...key, definition });
    const triggers = [...webhookTriggers(definition).triggers, ...formTriggers(definition).triggers];
    await world.store.routes.apply({ ...key, active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers });
  }
  api = await startServer({
    store: world.store, cluster: new FakeCluster(), log: silentLog, version: '0.0.0', clock: { now: () => Date.now(), monotonic: () => performance.now() },
    config: {
      baseUrl: undefined, port: 0, healthPort: 0, audiences: [], proxyHops: 0, drainMs: 1000,
      limits: { bodyBytes: 100_000, fileBytes: 1_000_000, bodyBytesInFlight: 10_000_000, webhooksInFlight: 100, responseMs: 60_000, requestMs: 10_000, userRequestsPerSecond: 1000 },
    },
  });
}, 180_000);

afterAll(async () => {
  await api.stop();
  await world.stop();
});

const at = (path: string) => new URL(path, `http://127.0.0.1:${api.port}`);
/** The page at an address, once the workflow has got so far that it shows the text. */
const pageWith = (path: string, text: string) => eventually(async () => {
  const page = await (await fetch(at(path))).text();
  expect(page).toContain(text);
});
const sent = async (path: string, value: string | File) => {
  const body = new FormData();
  body.set('f0.', value);
  const response = await fetch(at(path), { method: 'POST', body, redirect: 'manual' });
  return { status: response.status, next: response.headers.get('location') ?? '' };
};

test('a form leads through its pages to what the workflow makes of them', async () => {
  expect((await sent('/form/test/survey', '')).status).toBe(422);
  const first = await sent('/form/test/survey', 'Ada');
  expect(first).toMatchObject({ status: 303, next: expect.stringMatching(/^\/form-waiting\/[\da-f-]{36}\/[\da-f]{32}$/) });
  await pageWith(first.next, '<h1>Hello Ada</h1>');
  expect(await sent(first.next, new File(['abc'], 'a.txt'))).toEqual({ status: 303, next: first.next });
  await pageWith(first.next, '<h1>Done</h1><p class="text" role="status">Ada sent a.txt</p>');
  const id = first.next.split('/')[2] ?? '';
  const { outputs } = (await world.store.executions.nodeRuns(id, { node: 'Sum' }))[0] ?? { outputs: [] };
  const file = outputs[0]?.[0]?.binary?.['File'];
  expect(Buffer.from((await world.store.binaries.get(file?.id ?? '')) ?? []).toString()).toBe('abc');
});

test('a wait goes on by its address, once, and answers what comes after it', async () => {
  const { pathname } = at(await (await fetch(at('/webhook/test/approval'))).text());
  const forged = `${pathname.slice(0, -1)}${pathname.endsWith('0') ? '1' : '0'}`;
  expect((await fetch(at(forged))).status).toBe(404);
  const answer = await fetch(at(`${pathname}?by=ada`));
  expect([answer.status, await answer.json()]).toEqual([200, { approved: 'ada' }]);
  await world.ended(pathname.split('/')[2] ?? '');
  expect((await fetch(at(pathname))).status).toBe(409);
});
