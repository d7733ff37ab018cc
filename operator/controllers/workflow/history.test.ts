import { expect, test } from '@jest/globals';
import type { AnyObject } from '../../kube/index.ts';
import type { Workflow } from '../resources.ts';
import { planHistory, revisionCopy } from './history.ts';

const workflow = (revisionHistoryLimit?: number): Workflow => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: 'orders', namespace: 'shop', uid: 'u1' },
  spec: { nodes: [], ...(revisionHistoryLimit === undefined ? {} : { revisionHistoryLimit }) },
});

function copy(revision: string, number: number, of = workflow()): AnyObject {
  const { metadata } = revisionCopy(of, { revision, number, definition: { id: 'shop/orders', name: 'orders', nodes: [], connections: [] } });
  return { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata };
}

const keys = (...copies: AnyObject[]) => copies.map(({ metadata }) => `shop/${metadata.name}`);

test.each([
  { name: 'the first revision', limit: 2, revision: 'a', existing: [], want: { write: 1, remove: [] } },
  { name: 'nothing new', limit: 2, revision: 'b', existing: [copy('a', 1), copy('b', 2)], want: { remove: [] } },
  { name: 'one more than is kept', limit: 1, revision: 'c', existing: [copy('a', 1), copy('b', 2)], want: { write: 3, remove: keys(copy('a', 1)) } },
  { name: 'back to an earlier one', limit: 2, revision: 'a', existing: [copy('a', 1), copy('b', 2)], want: { write: 3, remove: [] } },
  { name: 'no history at all', limit: 0, revision: 'b', existing: [copy('a', 1), copy('b', 2)], want: { remove: keys(copy('a', 1)) } },
])('$name', ({ limit, revision, existing, want }) => {
  expect(planHistory(workflow(limit), revision, existing)).toEqual(want);
});

test('copies of an earlier workflow of the same name are left to the garbage collector', () => {
  const predecessor = { ...workflow(), metadata: { ...workflow().metadata, uid: 'u0' } };
  expect(planHistory(workflow(0), 'a', [copy('a', 7, predecessor)])).toEqual({ write: 1, remove: [] });
  expect(copy('a', 1).metadata.name).not.toBe(copy('a', 1, predecessor).metadata.name);
});
