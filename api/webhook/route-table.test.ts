import { expect, test } from '@jest/globals';
import { route, webhookTrigger } from '../testdata/route.ts';
import { RouteTable } from './route-table.ts';

const find = (table: RouteTable, method: string, path: string) => {
  const match = table.find('shop', method, path.split('/'));
  return match && { workflow: match.webhook?.workflow, params: match.params, allow: match.allow };
};

test('finds by namespace, method and path', () => {
  const table = new RouteTable();
  table.replace([
    route('orders', [webhookTrigger('POST', 'orders'), webhookTrigger('GET', 'orders')]),
    route('one-order', [webhookTrigger('GET', 'orders/:id')]),
    route('newest', [webhookTrigger('GET', 'orders/newest')]),
    route('any', [webhookTrigger('DELETE', ':kind/:id')]),
    route('off', [webhookTrigger('GET', 'off')], { active: false }),
  ]);
  expect(find(table, 'POST', 'orders')).toEqual({ workflow: 'orders', params: {}, allow: ['GET', 'POST'] });
  expect(find(table, 'GET', 'orders/7')).toEqual({ workflow: 'one-order', params: { id: '7' }, allow: ['DELETE', 'GET'] });
  expect(find(table, 'GET', 'orders/newest')).toMatchObject({ workflow: 'newest', params: {} });
  expect(find(table, 'DELETE', 'orders/newest')).toMatchObject({ workflow: 'any', params: { kind: 'orders', id: 'newest' } });
  expect(find(table, 'PUT', 'orders')).toEqual({ workflow: undefined, params: {}, allow: ['GET', 'POST'] });
  expect(find(table, 'GET', 'off')).toBeUndefined();
  expect(table.find('elsewhere', 'POST', ['orders'])).toBeUndefined();
});

test('follows changes of one workflow without touching others', () => {
  const table = new RouteTable();
  table.replace([route('a', [webhookTrigger('POST', 'p'), webhookTrigger('POST', 'x/:y')]), route('b', [webhookTrigger('GET', 'p')])]);
  table.put(route('a', [webhookTrigger('POST', 'q')]));
  expect(find(table, 'POST', 'p')).toEqual({ workflow: undefined, params: {}, allow: ['GET'] });
  expect(find(table, 'POST', 'q')).toMatchObject({ workflow: 'a' });
  expect(find(table, 'POST', 'x/1')).toBeUndefined();
  table.drop({ namespace: 'shop', workflow: 'a' });
  expect(find(table, 'POST', 'q')).toBeUndefined();
  expect(find(table, 'GET', 'p')).toMatchObject({ workflow: 'b' });
  table.replace([]);
  expect(table.size).toBe(0);
  expect(find(table, 'GET', 'p')).toBeUndefined();
});
