import { describe, expect, test } from '@jest/globals';
import type { WorkflowSpec } from '../crds/workflow.ts';
import { nodeTypes } from '../runner/nodes/registry.ts';
import type { Workflow } from '../operator/controllers/resources.ts';
import { refusalOf } from '../operator/controllers/pool-access.ts';
import { answerReview, readReview } from './admission-review.ts';
import { pathClaims } from './path-claims.ts';
import { validateAdmission } from './validate-workflow.ts';

const workflow = (spec: WorkflowSpec, name = 'orders', status: Workflow['status'] = {}): Workflow => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: 'shop' }, spec, status,
});
const hook = (path: string) => ({ name: 'Hook', type: 'webhook', parameters: { httpMethod: 'POST', path } });
const owner = workflow({ nodes: [] }, 'first', { webhooks: [{ node: 'Hook', method: 'POST', path: '/webhook/shop/orders/:id' }] });
const owners = (claim: string) => [owner].filter((other) => pathClaims(other).includes(claim));
const poolRefusal = (pool: string, namespace: string) => refusalOf(pool, namespace, pool === 'gpu' ? ['ml'] : undefined);
const judge = (spec: WorkflowSpec, name?: string) => validateAdmission(workflow(spec, name), { nodeTypes, owners, poolRefusal });

describe('admission', () => {
  test.each<{ name: string; spec: WorkflowSpec; want: object }>([
    { name: 'an active workflow that is right', spec: { active: true, nodes: [hook('new')] }, want: { allowed: true, warnings: [] } },
    {
      name: 'an active workflow in a pool that does not serve its namespace', spec: { active: true, settings: { runnerPool: 'gpu' }, nodes: [hook('new')] },
      want: { allowed: false, message: expect.stringMatching(/^RunnerPool gpu does not serve namespace shop.*\(RunnerPoolNotAllowed\)$/) },
    },
    {
      name: 'a draft in such a pool', spec: { settings: { runnerPool: 'gpu' }, nodes: [hook('new')] },
      want: { allowed: true, warnings: [expect.stringContaining('RunnerPool gpu does not serve namespace shop')] },
    },
    {
      name: 'a draft with a mistake', spec: { nodes: [hook('new'), { name: 'Next', type: 'swich' }], connections: [{ from: 'Hook', output: 0, to: 'Next', input: 0, type: 'main' }] },
      want: { allowed: true, warnings: ["node 'Next': There is no node type 'swich'. Did you mean 'switch'? (UnknownNodeType)"] },
    },
    {
      name: 'an active workflow with the same mistake',
      spec: { active: true, nodes: [hook('new'), { name: 'Next', type: 'swich' }], connections: [{ from: 'Hook', output: 0, to: 'Next', input: 0, type: 'main' }] },
      want: { allowed: false, message: "node 'Next': There is no node type 'swich'. Did you mean 'switch'? (UnknownNodeType)", warnings: [] },
    },
    {
      name: 'an active workflow with a taken path', spec: { active: true, nodes: [hook('orders/:key')] },
      want: { allowed: false, message: "node 'Hook', parameter path: POST /webhook/shop/orders/:key is taken by Workflow first. Choose another path, or deactivate that workflow (WebhookPathTaken)" },
    },
    {
      name: 'an active workflow with a webhook that asks for a protection we lack', spec: { active: true, nodes: [{ ...hook('new'), parameters: { path: 'new', authentication: 'oAuth2' } }] },
      want: { allowed: false, message: expect.stringContaining('(WebhookNotServed)') },
    },
    {
      name: 'an active workflow with a schedule that never comes', spec: { active: true, nodes: [{ name: 'Nightly', type: 'scheduleTrigger', parameters: { rule: { interval: [{ field: 'cronExpression', expression: '0 25 * * *' }] } } }] },
      want: { allowed: false, message: expect.stringMatching(/node 'Nightly', parameter rule\.interval\[0\]\.expression: .*\(CronSyntax\)/) },
    },
    { name: 'a draft with a schedule', spec: { nodes: [{ name: 'Nightly', type: 'scheduleTrigger', parameters: { rule: { interval: [{}] } } }] }, want: { allowed: true, warnings: [] } },
    { name: 'a schedule in a timezone that is none', spec: { active: true, settings: { timezone: 'Mars/Olympus' }, nodes: [{ name: 'Nightly', type: 'scheduleTrigger', parameters: { rule: { interval: [{}] } } }] }, want: { allowed: false, message: expect.stringContaining('(TimezoneUnknown)') } },
    { name: 'a draft with a taken path', spec: { nodes: [hook('orders/:key')] }, want: { allowed: true, warnings: [expect.stringContaining('WebhookPathTaken')] } },
    { name: 'what this version does not do', spec: { nodes: [hook('new')], settings: { save: { progress: true } } }, want: { allowed: true, warnings: ['spec.settings.save.progress is not enforced by this version'] } },
  ])('$name', ({ spec, want }) => {
    expect(judge(spec)).toMatchObject(want);
  });

  test('names node and parameter of a broken expression, in a draft too', () => {
    const { allowed, message } = judge({ nodes: [hook('new'), { name: 'Set', type: 'set', parameters: { fields: [{ value: '={{ $json. }}' }] } }] });
    expect({ allowed, message }).toEqual({ allowed: false, message: expect.stringMatching(/^node 'Set', parameter fields.*\(ExpressionSyntax\)$/) });
  });

  test('lets the owner of a path keep it', () => {
    expect(judge({ active: true, nodes: [hook('orders/:id')] }, 'first').allowed).toBe(true);
  });
});

test('an answer repeats the uid and bounds what it shows', () => {
  const warnings = Array.from({ length: 30 }, () => 'w'.repeat(1000));
  const answer = answerReview('u', { allowed: false, message: 'no', warnings });
  expect(answer).toMatchObject({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: 'u', allowed: false, status: { code: 422, message: 'no' } } });
  expect(JSON.stringify(answer).length).toBeLessThan(4096);
});

test.each(['', '{}', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1"}', '[1]'])('%j is no review', (text) => {
  expect(() => readReview(text)).toThrow(/AdmissionReview|JSON/);
});
