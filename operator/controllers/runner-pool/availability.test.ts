import { expect, test } from '@jest/globals';
import type { AppsDeployment } from '../../kube/builtin.ts';
import { availabilityOf } from './availability.ts';

const deployment = (status: AppsDeployment['status']): AppsDeployment => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'millrace', generation: 3 }, status: { observedGeneration: 3, ...status },
});

test.each([
  { name: 'not taken up', status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, want: { status: 'Unknown', reason: 'RunnersStarting' } },
  { name: 'empty status', status: {}, want: { status: 'Unknown', message: '0 of 2 runners are available' } },
  { name: 'complete', status: { replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, want: { status: 'True', message: '2 runners take work' } },
  { name: 'old pods are left', status: { replicas: 3, updatedReplicas: 2, availableReplicas: 3 }, want: { status: 'Unknown' } },
  {
    name: 'refused pods', status: { conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }] },
    want: { status: 'False', reason: 'PodsRefused', message: 'pods cannot be created: exceeded quota', stalled: true },
  },
  {
    name: 'no progress', status: { replicas: 2, updatedReplicas: 2, conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] },
    want: { status: 'False', reason: 'RunnersNotStarting', stalled: true },
  },
])('$name', ({ status, want }) => {
  expect(availabilityOf(deployment(status), 2)).toMatchObject(want);
});

test('a pool of no runners is complete', () => {
  expect(availabilityOf(deployment({}), 0)).toMatchObject({ status: 'True' });
});
