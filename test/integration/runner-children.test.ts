import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { JsonObject } from '../../runner/engine/item.ts';
import type { WorkflowDefinition, WorkflowNode, WorkflowSettings } from '../../runner/engine/workflow.ts';
import { until } from '../eventually.ts';
import { chain, code, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';

jest.setTimeout(180_000);

let world: RunnerFixture;
beforeAll(async () => { world = await startRunnerFixture(); }, 180_000);
afterEach(async () => world.killRunners());
afterAll(async () => world.stop());

const effect = (name: string, path: string): WorkflowNode => ({ name, type: 'httpRequest', parameters: { method: 'POST', url: `${world.effects.url}${path}` } });
const callOf = (workflowId: string, options: JsonObject = {}): WorkflowNode => ({ name: 'Call', type: 'executeWorkflow', parameters: { workflowId, options } });
const child = (name: string, nodes: readonly WorkflowNode[], settings: WorkflowSettings = {}): WorkflowDefinition => chain(name, nodes, { start: 'executeWorkflowTrigger', settings });
const fail: WorkflowNode = { name: 'Bad', type: 'stopAndError', parameters: { errorMessage: 'on purpose' } };
const counting = code('Count', 'const data = $getWorkflowStaticData("global"); data.n = (data.n ?? 0) + 1; return [{ json: { n: data.n } }];');

describe('error workflows', () => {
  const onError = (name: string, nodes: readonly WorkflowNode[], settings: WorkflowSettings = {}): WorkflowDefinition => chain(name, nodes, { start: 'errorTrigger', settings });

  test('run as an execution of their own, which another runner goes on with when the first one dies', async () => {
    const handler = await world.deploy(onError('handler', [effect('Report', '/handler/report')]));
    const failing = await world.deploy(chain('failing', [fail], { settings: { errorWorkflow: handler } }));
    world.effects.hold('/handler/report');
    const first = await world.runner();
    const id = await world.submit(failing);
    await until(() => world.effects.requests('/handler/report').length === 1);
    await first.kill();
    world.effects.release('/handler/report');
    await world.runner();
    expect(await world.ended(id)).toMatchObject({ status: 'Failed', error: { node: 'Bad', message: 'on purpose' } });
    const reports = await world.allEnded(handler, 1);
    expect(reports).toMatchObject([{ status: 'Succeeded', mode: 'Error', parent: id }]);
    expect(await world.jsonOf(reports[0]?.id ?? '', 'Start')).toMatchObject([{ execution: { id, lastNodeExecuted: 'Bad', mode: 'cli' }, workflow: { name: 'failing' } }]);
  });

  test('may wait, fail without a next one, and call what has an error workflow itself', async () => {
    const waiting = await world.deploy(onError('waiting-handler', [{ name: 'Wait', type: 'wait', parameters: { resume: 'webhook' } }, code('After', 'return items;')]));
    const id = await world.submit(await world.deploy(chain('fails-waiting', [fail], { settings: { errorWorkflow: waiting } })));
    await world.runner();
    expect((await world.ended(id)).status).toBe('Failed');
    const handler = await until(async () => (await world.store.executions.list({ namespace: 'test', workflow: waiting, limit: 9 })).executions.find(({ status }) => status === 'Waiting'));
    expect(await world.store.queue.resume({ executionId: handler.id, node: 'Wait', items: [{ json: { approved: true } }] })).toBe(true);
    expect((await world.ended(handler.id)).status).toBe('Succeeded');
    expect(await world.jsonOf(handler.id, 'After')).toEqual([{ approved: true }]);

    const sub = await world.deploy(child('failing-child', [fail], { errorWorkflow: 'round' }));
    const round = await world.deploy(onError('round', [callOf(sub, { waitForSubWorkflow: false }), callOf(sub)].map((node, n) => ({ ...node, name: `Call ${n}` })), { errorWorkflow: 'round' }));
    await world.ended(await world.submit(await world.deploy(chain('starts-round', [fail], { settings: { errorWorkflow: round } }))));
    expect(await world.allEnded(sub, 1)).toMatchObject([{ status: 'Failed', mode: 'SubWorkflow' }]);
    expect(await world.allEnded(round, 1)).toMatchObject([{ status: 'Failed', mode: 'Error' }]);
  });

  test('start for what brings its executor down, and not for whom their callerPolicy refuses', async () => {
    const report = await world.deploy(onError('crash-handler', [code('Report', 'return items;')]));
    const closed = await world.deploy(onError('closed-handler', [code('Report', 'return items;')], { callerPolicy: 'none' }));
    const stuck = await world.submit(await world.deploy(chain('stuck', [code('Bad', 'for (;;) {}')], { settings: { errorWorkflow: report } })));
    const refused = await world.submit(await world.deploy(chain('refused', [fail], { settings: { errorWorkflow: closed } })));
    const runner = await world.runner({ MILLRACE_STALL_MS: '1500' });
    expect((await world.ended(stuck)).error).toMatchObject({ code: 'ExecutionStalled', node: 'Bad' });
    expect((await world.ended(refused)).error?.node).toBe('Bad');
    const [handled] = await world.allEnded(report, 1);
    expect(await world.jsonOf(handled?.id ?? '', 'Report')).toMatchObject([{ execution: { id: stuck, error: { code: 'ExecutionStalled' } } }]);
    expect((await world.store.executions.list({ namespace: 'test', workflow: closed, limit: 9 })).executions).toEqual([]);
    expect(runner.output()).toContain("The error workflow 'closed-handler' was not started");
  });
});

describe('sub-workflows', () => {
  test('nobody waits for are executions of their own, started once, however often their caller is taken over', async () => {
    const apart = await world.deploy(child('apart', [code('Work', 'return items;')]));
    const each: WorkflowNode = { name: 'Call', type: 'executeWorkflow', parameters: { workflowId: apart, mode: 'each', options: { waitForSubWorkflow: false } } };
    const caller = await world.deploy(chain('caller', [code('Three', 'return [1, 2, 3].map((n) => ({ json: { n } }));'), each, { ...effect('Held', '/apart/held'), executeOnce: true }]));
    world.effects.hold('/apart/held');
    const first = await world.runner();
    const id = await world.submit(caller);
    await until(() => world.effects.requests('/apart/held').length === 1);
    await first.kill();
    world.effects.release('/apart/held');
    await world.runner();
    expect((await world.ended(id)).attempts).toBe(2);
    const started = await world.allEnded(apart, 3);
    expect(started).toHaveLength(3);
    expect(started).toMatchObject(started.map(() => ({ status: 'Succeeded', mode: 'SubWorkflow', parent: id })));
  });

  test('have their own static data, timezone and time limit, and the caller keeps what is its own', async () => {
    const count = await world.deploy(child('counts', [counting, { name: 'Zone', type: 'set', typeVersion: 3.4, parameters: { mode: 'raw', jsonOutput: '={{ ({ n: $json.n, zone: $now.zoneName }) }}' } }], { timezone: 'Asia/Tokyo' }));
    const caller = await world.deploy(chain('counts-twice', [callOf(count), { ...callOf(count), name: 'Again' }], { settings: { timezone: 'Europe/Berlin' } }));
    await world.runner();
    const id = await world.submit(caller);
    expect((await world.ended(id)).status).toBe('Succeeded');
    expect(await world.jsonOf(id, 'Again')).toEqual([{ n: 2, zone: 'Asia/Tokyo' }]);
    const alone = await world.submit(count, { mode: 'SubWorkflow' });
    await world.ended(alone);
    expect(await world.jsonOf(alone, 'Count')).toEqual([{ n: 3 }]);
    expect(await world.store.staticData.get({ namespace: 'test', workflow: caller })).toEqual({ global: {}, nodes: {} });

    world.effects.hold('/slow/child');
    const slow = await world.deploy(child('slow', [effect('Slow', '/slow/child')], { timeout: '300ms' }));
    const goesOn = await world.submit(await world.deploy(chain('calls-slow', [{ ...callOf(slow), onError: 'Continue' }, code('After', 'return [{ json: { after: true } }];')])));
    expect((await world.ended(goesOn)).status).toBe('Succeeded');
    expect(await world.jsonOf(goesOn, 'Call')).toMatchObject([{ error: expect.stringContaining('time limit') }]);
    world.effects.release('/slow/child');
  });

  test('that wait keep their caller waiting, through the death of every runner and of PostgreSQL', async () => {
    const approval = await world.deploy(child('approval', [
      effect('Ask', '/approval/ask'), { name: 'Wait', type: 'wait', parameters: { resume: 'webhook', httpMethod: 'POST', options: { webhookSuffix: 'approve' } } },
      { name: 'Url', type: 'set', typeVersion: 3.4, parameters: { mode: 'raw', jsonOutput: '={{ ({ ...$json, url: $execution.resumeUrl }) }}' } },
    ]));
    const caller = await world.deploy(chain('wants-approval', [callOf(approval), effect('Then', '/approval/then')]));
    const first = await world.runner({ MILLRACE_BASE_URL: 'https://flows.example.com' });
    const id = await world.submit(caller);
    const waiting = await until(async () => world.store.queue.waiting(id));
    expect(waiting).toMatchObject({ workflow: caller, node: 'Wait', on: 'webhook', request: { parameters: { httpMethod: 'POST', options: { webhookSuffix: 'approve' } } } });
    await first.kill();
    await world.postgres.kill();
    await world.postgres.start();
    expect(await until(async () => world.store.queue.resume({ executionId: id, node: 'Wait', items: [{ json: { by: 'call' } }] }))).toBe(true);
    const second = await world.runner({ MILLRACE_BASE_URL: 'https://flows.example.com' });
    expect((await world.ended(id)).status).toBe('Succeeded');
    expect(await world.jsonOf(id, 'Call')).toEqual([{ by: 'call', url: `https://flows.example.com/webhook-waiting/${id}/${world.store.resumeTokens.of(id)}` }]);
    expect([world.effects.requests('/approval/ask').length, world.effects.requests('/approval/then').length]).toEqual([1, 1]);
    await second.kill();
  });
});

describe('waits', () => {
  test('a call is answered by the execution it woke, not with what an earlier caller was told', async () => {
    const respond = (name: string, responseBody: string): WorkflowNode => ({ name, type: 'respondToWebhook', parameters: { respondWith: 'text', responseBody } });
    const wait = (name: string, responseMode: string): WorkflowNode => ({ name, type: 'wait', parameters: { resume: 'webhook', responseMode } });
    const workflow = await world.deploy({
      ...chain('answers', [respond('First', 'started'), wait('Ask', 'responseNode'), respond('Second', '={{ $json.n }}'), wait('Again', 'lastNode'), code('End', 'return items;')]),
      nodes: [
        { name: 'Start', type: 'webhook', parameters: { path: 'answers', responseMode: 'responseNode' } }, respond('First', 'started'), wait('Ask', 'responseNode'),
        respond('Second', '={{ $json.n }}'), wait('Again', 'lastNode'), code('End', 'return items;'),
      ],
    });
    await world.runner();
    const { replies, queue } = world.store;
    const id = await world.submit(workflow, { mode: 'Webhook', replyTo: replies.address });
    const signal = AbortSignal.timeout(60_000);
    expect((await replies.wait(id, { signal })).response?.body).toBe('started');
    for (const { node, n, body } of [{ node: 'Ask', n: 1, body: '1' }, { node: 'Again', n: 2, body: '{"n":2}' }]) {
      await until(async () => (await queue.waiting(id))?.node === node);
      expect(await queue.resume({ executionId: id, node, items: [{ json: { n } }], replyTo: replies.address })).toBe(true);
      expect((await replies.wait(id, { signal })).response?.body).toBe(body);
    }
    expect((await world.ended(id)).status).toBe('Succeeded');
  });
});

test('a part of a workflow runs with the items of an earlier execution, and of no other workflow', async () => {
  const parts = await world.deploy(chain('parts', [code('Make', 'return [{ json: { n: Math.random() } }];'), code('Use', 'return [{ json: { same: $("Make").first().json.n === items[0].json.n, n: items[0].json.n } }];'), code('Last', 'return items;')]));
  const other = await world.deploy(chain('no-parts', [code('Make', 'return items;')]));
  await world.runner();
  const [whole, foreign] = [await world.submit(parts), await world.submit(other)];
  await Promise.all([world.ended(whole), world.ended(foreign)]);
  const part = await world.submit(parts, { mode: 'Manual', trigger: { items: [], partial: { from: 'Use', to: 'Use', dataOf: whole } } });
  expect(await world.ended(part)).toMatchObject({ status: 'Succeeded', lastNode: 'Use' });
  expect(await world.jsonOf(part, 'Use')).toEqual(await world.jsonOf(whole, 'Use'));
  expect(await world.store.executions.nodeRuns(part, { node: 'Last' })).toEqual([]);
  const stolen = await world.submit(parts, { mode: 'Manual', trigger: { items: [], partial: { from: 'Use', dataOf: foreign } } });
  expect((await world.ended(stolen)).error?.code).toBe('PartialDataMissing');
});
