import { expect, test } from '@jest/globals';

import { startControlPlane } from '../cluster/control-plane.ts';

test('objects survive a killed API server, and two control planes know nothing of each other', async () => {
  const [first, second] = await Promise.all([startControlPlane({ name: 'first' }), startControlPlane({ name: 'second' })]);
  try {
    await first.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept', namespace: 'default' }, data: { a: 'b' } });
    await first.killApiServer();
    await first.startApiServer();
    expect(await first.kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}')).toBe('b');
    expect(await second.kubectl('get', 'configmap', 'kept', '--ignore-not-found')).toBe('');
  } finally {
    await Promise.all([first.stop(), second.stop()]);
  }
}, 240_000);

test('a user by certificate has the rights that RBAC gives the group, and no others', async () => {
  const cluster = await startControlPlane();
  try {
    await cluster.kubectl('create', 'clusterrole', 'reader', '--verb=get', '--resource=configmaps');
    await cluster.kubectl('create', 'clusterrolebinding', 'readers', '--clusterrole=reader', '--group=readers');
    const user = await cluster.kubeconfigFor('somebody', ['readers']);
    expect(await cluster.kubectl('auth', 'can-i', 'get', 'configmaps', '--kubeconfig', user)).toContain('yes');
    await expect(cluster.kubectl('auth', 'can-i', 'get', 'secrets', '--kubeconfig', user)).rejects.toThrow('no');
  } finally {
    await cluster.stop();
  }
}, 240_000);
