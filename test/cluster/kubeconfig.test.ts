import { expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';

import { kubeconfig } from './kubeconfig.ts';

const access = { name: 'a', server: 'https://127.0.0.1:1', certificateAuthority: 'Y2E=', clientCertificate: 'Y2VydA==', clientKey: 'a2V5' };

test('a kubeconfig is read back by the Kubernetes client', () => {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig({ ...access, namespace: 'shop' }));
  expect(config.getCurrentCluster()).toMatchObject({ server: access.server, caData: access.certificateAuthority });
  expect(config.getCurrentUser()).toMatchObject({ certData: access.clientCertificate, keyData: access.clientKey });
  expect(config.getContextObject('a')?.namespace).toBe('shop');
});

test('without a namespace the context has none, so that clients use default', () => {
  expect(kubeconfig(access)).not.toContain('namespace');
});
