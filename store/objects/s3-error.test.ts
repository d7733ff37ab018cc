import { expect, test } from '@jest/globals';
import { StoreError } from '../error.ts';
import { toObjectError } from './s3-error.ts';

const failure = (fields: object): Error => Object.assign(new Error('holds secret'), fields);

test.each([
  { error: failure({ code: 'ECONNREFUSED' }), code: 'ObjectStorageUnavailable', says: 'ECONNREFUSED' },
  { error: failure({ name: 'TimeoutError' }), code: 'ObjectStorageUnavailable', says: 'TimeoutError' },
  { error: failure({ name: 'SlowDown', $metadata: { httpStatusCode: 503 } }), code: 'ObjectStorageUnavailable', says: 'SlowDown, status 503' },
  { error: failure({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }), code: 'ObjectStorageRefused', says: 'AccessDenied, status 403' },
  { error: failure({ name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } }), code: 'ObjectStorageRefused', says: 'NoSuchBucket' },
  { error: failure({ name: 'CredentialsProviderError' }), code: 'ObjectStorageRefused', says: 'no credentials' },
  { error: failure({ name: 'holds secret', $metadata: { httpStatusCode: 403 } }), code: 'ObjectStorageRefused', says: 'Unknown, status 403' },
  { error: 'secret', code: 'ObjectStorageUnavailable', says: 'Unknown' },
])('$says is $code, without what the SDK said', ({ error, code, says }) => {
  const known = toObjectError(error);
  expect(known).toMatchObject({ code, message: expect.stringContaining(says) });
  expect(known).toBeInstanceOf(StoreError);
  expect(known.cause).toBeUndefined();
  expect(known.message).not.toContain('secret');
});
