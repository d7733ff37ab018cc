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

test('runners are told of the object storage, and take what is secret from the same Secrets', () => {
  const env = {
    ...needed, MILLRACE_S3_BUCKET: 'b', MILLRACE_S3_REGION: '', MILLRACE_S3_ENDPOINT: 'https://minio:9000', MILLRACE_S3_PAYLOAD_BYTES: '65536',
    MILLRACE_S3_CREDENTIALS_SECRET: 'keys', MILLRACE_S3_CA_SECRET: 'ca', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', MILLRACE_S3_CA: 'PEM',
  };
  const from = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });
  expect(operatorConfig(env).runners.objectStorage).toEqual({
    port: 9000,
    env: [
      { name: 'MILLRACE_S3_BUCKET', value: 'b' }, { name: 'MILLRACE_S3_ENDPOINT', value: 'https://minio:9000' }, { name: 'MILLRACE_S3_PAYLOAD_BYTES', value: '65536' },
      { name: 'AWS_ACCESS_KEY_ID', ...from('keys', 'accessKeyId') }, { name: 'AWS_SECRET_ACCESS_KEY', ...from('keys', 'secretAccessKey') }, { name: 'MILLRACE_S3_CA', ...from('ca', 'ca.crt') },
    ],
  });
  expect(operatorConfig(needed).runners).not.toHaveProperty('objectStorage');
});

test.each([
  { endpoint: '', port: 443 },
  { endpoint: 'http://minio', port: 80 },
  { endpoint: 'https://minio', port: 443 },
])('the object storage at "$endpoint" listens on port $port; pods with an identity need no Secret', ({ endpoint, port }) => {
  expect(operatorConfig({ ...needed, MILLRACE_S3_BUCKET: 'b', MILLRACE_S3_REGION: 'eu-central-1', MILLRACE_S3_ENDPOINT: endpoint }).runners.objectStorage).toMatchObject({
    port, env: expect.not.arrayContaining([expect.objectContaining({ name: 'AWS_ACCESS_KEY_ID' })]),
  });
});

test('everything that is wrong is named, and no value is', () => {
  const broken = () => operatorConfig({ ...needed, MILLRACE_IMAGE: undefined, MILLRACE_HEALTH_PORT: 'secret' });
  expect(broken).toThrow(/MILLRACE_IMAGE.*MILLRACE_HEALTH_PORT/);
  expect(broken).not.toThrow(/secret/);
});
