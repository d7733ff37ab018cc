import { expect, test } from '@jest/globals';
import { operatorConfig } from './config.ts';

const needed = { MILLRACE_DATABASE_URL: 'postgres://u:secret@h/d', POD_NAMESPACE: 'millrace', POD_NAME: 'operator-1', MILLRACE_IMAGE: 'millrace:1', MILLRACE_DATABASE_SECRET: 'millrace-database' };

test('what is not set has a default, and an empty text counts as not set', () => {
  expect(operatorConfig({ ...needed, MILLRACE_INSTANCE: '', MILLRACE_POOLS_CONFIGMAP: '', MILLRACE_WATCH_NAMESPACES: '' })).toMatchObject({
    home: 'millrace', identity: 'operator-1', healthPort: 8080, namespaces: [], poolsConfigMap: undefined, webhooks: undefined,
    runners: { image: 'millrace:1', serviceAccountName: 'default', databaseSecret: { name: 'millrace-database', key: 'url' }, imagePullSecrets: [] },
  });
});

test('lists are split and addresses lose their last slash', () => {
  expect(operatorConfig({ ...needed, MILLRACE_WATCH_NAMESPACES: 'a, b', MILLRACE_BASE_URL: 'https://flows.example/' })).toMatchObject({ namespaces: ['a', 'b'], runners: { baseUrl: 'https://flows.example' } });
});

test('everything that is wrong is named, and no value is', () => {
  const broken = () => operatorConfig({ ...needed, MILLRACE_IMAGE: undefined, MILLRACE_HEALTH_PORT: 'secret' });
  expect(broken).toThrow(/MILLRACE_IMAGE.*MILLRACE_HEALTH_PORT/);
  expect(broken).not.toThrow(/secret/);
});
