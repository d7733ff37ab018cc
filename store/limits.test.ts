import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../runner/engine/item.ts';
import { groupsOf, limitKeysOf } from './limits.ts';

const workflow = { namespace: 'shop', workflow: 'orders' };
const byCustomer = limitKeysOf({ concurrency: { max: 1, key: 'body.customer', policy: 'Queue' } }) ?? '';
const gateOf = (json: JsonObject, key = byCustomer) => groupsOf(key, { ...workflow, items: [{ json }] }).gate;

describe('the group of an execution', () => {
  test('without limits there is none', () => {
    expect(limitKeysOf()).toBeUndefined();
    expect(limitKeysOf({})).toBeUndefined();
  });

  test('executions with the same value share one, others do not', () => {
    expect(gateOf({ body: { customer: 7 } })).toBe(gateOf({ body: { customer: 7, other: 1 } }));
    expect(gateOf({ body: { customer: 7 } })).not.toBe(gateOf({ body: { customer: '7' } }));
    expect(gateOf({ body: { customer: { b: 1, a: 2 } } })).toBe(gateOf({ body: { customer: { a: 2, b: 1 } } }));
  });

  test('executions without the value share one of their own; nothing inherited counts as a value', () => {
    const none = gateOf({});
    expect(none).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    for (const json of [{ body: null }, { body: 'text' }, { body: {} }, { body: { customer: null } }]) expect(gateOf(json)).toBe(none);
    const inherited = limitKeysOf({ concurrency: { max: 1, key: 'constructor.name', policy: 'Queue' } });
    expect(gateOf({}, inherited)).toBe(gateOf({ other: 1 }, inherited));
  });

  test('whole workflows, their groups and their rates are apart', () => {
    const keys = limitKeysOf({ concurrency: { max: 1, policy: 'Drop' }, rateLimit: { count: 1, perMs: 1000, policy: 'Queue' } }) ?? '';
    const { gate, rate } = groupsOf(keys, { ...workflow, items: [] });
    const other = groupsOf(keys, { ...workflow, workflow: 'others', items: [] });
    expect(new Set([gate, rate, other.gate, other.rate, gateOf({})]).size).toBe(5);
  });
});
