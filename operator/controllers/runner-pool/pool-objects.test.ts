import { expect, test } from '@jest/globals';
import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import type { Pod } from '../../kube/builtin.ts';
import type { RunnerPool } from '../resources.ts';
import { DELETION_COST, deletionCosts } from './idle-first.ts';
import { poolObjects } from './pool-objects.ts';

const pool = (spec: RunnerPoolSpec): RunnerPool => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name: 'batch', namespace: 'millrace', uid: 'u1' }, spec,
});

test('a pool that asks for nothing has a disruption budget only', () => {
  expect(poolObjects(pool({}), [5432])).toEqual({
    disruptionBudget: { metadata: expect.objectContaining({ name: 'millrace-runner-batch', namespace: 'millrace' }), spec: expect.objectContaining({ maxUnavailable: '25%' }) },
  });
});

test('a network policy always leaves DNS, the database and the object storage open', () => {
  expect(poolObjects(pool({ networkPolicy: {} }), [6432, 9000]).networkPolicy?.spec).toMatchObject({
    policyTypes: ['Ingress', 'Egress'],
    egress: [{ ports: [{ port: 53, protocol: 'UDP' }, { port: 53, protocol: 'TCP' }] }, { ports: [{ port: 6432, protocol: 'TCP' }, { port: 9000, protocol: 'TCP' }] }],
  });
});

const pod = (name: string, change: Partial<Pod['metadata']> = {}): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'millrace', ...change } });
const report = (name: string, busy: number) => ({ name, busy, slots: 40, started: 0, ended: 0, busyMs: 0 });
const costs = (...given: Parameters<typeof deletionCosts>): object => Object.fromEntries(deletionCosts(...given).map(({ pod: { metadata }, cost }) => [metadata.name, cost]));

test('the idlest runners go first, those that have said nothing before all', () => {
  expect(costs([pod('a'), pod('b'), pod('c')], [report('a/1', 5), report('b/1', 2)], 2)).toEqual({ c: '-1', b: '-1' });
});

test('a runner that was chosen once and is still there is taken back', () => {
  expect(costs([pod('a', { annotations: { [DELETION_COST]: '-1' } }), pod('b')], [report('a/1', 5), report('b/1', 0)], 1)).toEqual({ b: '-1', a: '0' });
});

test('what is going already is not counted', () => {
  expect(costs([pod('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }), pod('b'), pod('c')], [report('b/1', 1), report('c/1', 2)], 1)).toEqual({ b: '-1' });
});
