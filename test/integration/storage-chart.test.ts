import { beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { operatorConfig } from '../../operator/config.ts';
import { objectStorageOf } from '../../store/objects/settings.ts';
import { binaries } from '../cluster/build.ts';
import { run } from '../cluster/command.ts';

const chart = join(import.meta.dirname, '../../charts/millrace');

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { name: string; key: string } };
}

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: { template: { spec: { containers: { env: Variable[] }[] } } };
}

let helm: string;
beforeAll(async () => {
  helm = (await binaries(['helm']))('helm');
}, 600_000);

/** Environment of a role: values, and `Secret/key` where they are in one. */
async function environment(role: string, s3: object): Promise<Record<string, string>> {
  const text = await run(helm, ['template', 'millrace', chart, '--namespace', 'millrace', '--values', '-'], { input: stringify({ storage: { s3 } }) });
  const manifests = parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
  const found = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === `millrace-${role}`);
  const variables = found?.spec.template.spec.containers[0]?.env ?? [];
  return Object.fromEntries(variables.map(({ name, value, valueFrom }) => [name, value ?? Object.values(valueFrom?.secretKeyRef ?? {}).join('/')]));
}

test.each(['api', 'operator'])('without a bucket %s is told nothing', async (role) => {
  expect(Object.keys(await environment(role, {})).filter((name) => /S3|AWS/.test(name))).toEqual([]);
});

test.each(['api', 'operator'])('%s is told where files and large payloads are, and takes what is secret from Secrets', async (role) => {
  const env = await environment(role, {
    bucket: 'data', endpoint: 'https://minio.storage.svc:9000', prefix: 'production', forcePathStyle: true, payloadBytes: 10_000_000, credentialsSecret: 'keys', caSecret: 'ca',
  });
  expect(env).toMatchObject({ AWS_ACCESS_KEY_ID: 'keys/accessKeyId', AWS_SECRET_ACCESS_KEY: 'keys/secretAccessKey', MILLRACE_S3_CA: 'ca/ca.crt' });
  expect(objectStorageOf(env)).toMatchObject({ bucket: 'data', endpoint: 'https://minio.storage.svc:9000', prefix: 'production/', forcePathStyle: true, payloadBytes: 10_000_000 });
});

test('the operator hands it on to runners; with the identity of the pods there are no Secrets', async () => {
  const env = await environment('operator', { bucket: 'data', region: 'eu-central-1' });
  expect(Object.keys(env).filter((name) => name.startsWith('AWS'))).toEqual([]);
  const { objectStorage } = operatorConfig({ ...env, POD_NAMESPACE: 'millrace', POD_NAME: 'operator-1', MILLRACE_DATABASE_URL: 'postgres://h/d' }).runners;
  expect(objectStorage?.env.map(({ name }) => name)).toEqual(['MILLRACE_S3_BUCKET', 'MILLRACE_S3_REGION', 'MILLRACE_S3_FORCE_PATH_STYLE', 'MILLRACE_S3_PAYLOAD_BYTES']);
});

test.each([{ bukket: 'data' }, { bucket: 'Data' }, { bucket: 'data', endpoint: 'minio:9000' }, { bucket: 'data', endpoint: 'https://user:secret@minio' }, { bucket: 'data', payloadBytes: 1 }])(
  'what cannot be right is refused: %j', async (s3) => {
    await expect(environment('api', s3)).rejects.toThrow(/values don't meet the specifications/);
  });
