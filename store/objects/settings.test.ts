import { expect, test } from '@jest/globals';
import { objectStorageOf } from './settings.ts';

test('without a bucket there is no object storage', () => {
  expect(objectStorageOf({ MILLRACE_S3_REGION: 'eu-central-1' })).toBeUndefined();
});

test('a bucket and its region are all that is needed', () => {
  const want = { bucket: 'b', region: 'eu-central-1', prefix: '', forcePathStyle: false, payloadBytes: 65_536 };
  expect(objectStorageOf({ MILLRACE_S3_BUCKET: 'b', MILLRACE_S3_REGION: 'eu-central-1', MILLRACE_S3_PREFIX: '', MILLRACE_S3_ENDPOINT: '' })).toEqual(want);
  expect(objectStorageOf({ MILLRACE_S3_BUCKET: 'b', MILLRACE_S3_REGION: '', AWS_REGION: 'eu-central-1' })).toEqual(want);
});

test('everything can be said', () => {
  const env = {
    MILLRACE_S3_BUCKET: 'b', MILLRACE_S3_REGION: 'eu-central-1', MILLRACE_S3_ENDPOINT: 'https://minio:9000', MILLRACE_S3_PREFIX: '/mill/race/',
    MILLRACE_S3_FORCE_PATH_STYLE: 'true', MILLRACE_S3_PAYLOAD_BYTES: '1000000', MILLRACE_S3_CA: 'PEM',
  };
  expect(objectStorageOf(env)).toEqual({ bucket: 'b', region: 'eu-central-1', endpoint: 'https://minio:9000', prefix: 'mill/race/', forcePathStyle: true, payloadBytes: 1_000_000, ca: 'PEM' });
});

test.each([
  { name: 'MILLRACE_S3_REGION', value: '' },
  { name: 'MILLRACE_S3_ENDPOINT', value: 'minio:9000' },
  { name: 'MILLRACE_S3_PAYLOAD_BYTES', value: '12' },
  { name: 'MILLRACE_S3_PAYLOAD_BYTES', value: '64Ki' },
  { name: 'MILLRACE_S3_FORCE_PATH_STYLE', value: 'yes' },
])('$name=$value is refused by its name', ({ name, value }) => {
  expect(() => objectStorageOf({ MILLRACE_S3_BUCKET: 'b', ...(name === 'MILLRACE_S3_REGION' ? {} : { MILLRACE_S3_REGION: 'eu-central-1' }), [name]: value })).toThrow(expect.objectContaining({ code: 'ObjectStorageMisconfigured', message: expect.stringContaining(name) }));
});
