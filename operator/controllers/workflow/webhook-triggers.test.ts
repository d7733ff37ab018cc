import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../runner/engine/item.ts';
import { webhookTriggers } from './webhook-triggers.ts';

const hook = (parameters: JsonObject, name = 'Hook') => ({ name, type: 'webhook', parameters });

describe('what a webhook node registers', () => {
  test.each([
    { parameters: { path: 'orders' }, want: [{ method: 'GET', path: 'orders', responseMode: 'onReceived', options: {} }] },
    { parameters: { path: '/a/:id/', httpMethod: 'post', responseMode: 'lastNode' }, want: [{ method: 'POST', path: 'a/:id', responseMode: 'lastNode' }] },
    { parameters: { path: 'a', httpMethod: ['GET', 'PUT'], multipleMethods: true, options: { noResponseBody: true } }, want: [{ method: 'GET', options: { options: { noResponseBody: true } } }, { method: 'PUT' }] },
  ])('$parameters', ({ parameters, want }) => {
    const { triggers, problems } = webhookTriggers({ nodes: [hook(parameters)] });
    expect(problems).toEqual([]);
    expect(triggers).toMatchObject(want);
  });

  test('nothing when it is disabled', () => {
    expect(webhookTriggers({ nodes: [{ ...hook({ path: 'a' }), disabled: true }] })).toEqual({ triggers: [], problems: [] });
  });

  test('the id of an imported webhook when it has no path', () => {
    expect(webhookTriggers({ nodes: [{ ...hook({}), webhookId: '4f1c' }] }).triggers).toMatchObject([{ path: '4f1c' }]);
  });
});

test.each([
  { nodes: [hook({})], code: 'WebhookPathMissing' },
  { nodes: [hook({ path: '={{ 1 }}' })], code: 'WebhookPathIsExpression' },
  { nodes: [hook({ path: 'a//b' })], code: 'WebhookPathInvalid' },
  { nodes: [hook({ path: 'a b' })], code: 'WebhookPathInvalid' },
  { nodes: [hook({ path: 'a', httpMethod: 'BREW' })], code: 'WebhookMethodUnknown' },
  { nodes: [hook({ path: 'a', responseMode: 'streaming' })], code: 'WebhookResponseModeUnknown' },
  { nodes: [hook({ path: 'a/:x' }, 'One'), hook({ path: 'a/:y' }, 'Two')], code: 'WebhookPathTwice' },
])('$code', ({ nodes, code }) => {
  expect(webhookTriggers({ nodes }).problems).toMatchObject([{ severity: 'error', code, node: nodes.at(-1)?.name }]);
});
