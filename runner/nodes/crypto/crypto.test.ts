import { createVerify, generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

const run = async (parameters: JsonObject): Promise<unknown> => {
  const { json, error } = await runNode({ type: 'crypto', items: [{ s: 'abc' }], parameters });
  return error ?? json[0]?.[0];
};

test.each([
  [{ value: 'abc' }, '900150983cd24fb0d6963f7d28e17f72'], [{ value: 'abc', type: 'SHA3-256' }, '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532'],
  [{ action: 'hmac', value: 'abc', secret: 'key', type: 'SHA256', encoding: 'base64' }, 'nBluMtwBdfhvSxy4konWYZ3mvuaZ5MN45oMJ7Zehpqs='],
])('hashes %p', async (parameters, data) => expect(await run(parameters)).toEqual({ s: 'abc', data }));

test.each([
  [{ encodingType: 'uuid' }, /^[0-9a-f]{8}-[0-9a-f]{4}-4/], [{ encodingType: 'hex', stringLength: 5 }, /^[0-9a-f]{5}$/], [{ encodingType: 'ascii', stringLength: 300 }, /^[A-Za-z0-9]{300}$/],
])('generates %p', async (parameters, pattern) => expect(await run({ action: 'generate', dataPropertyName: 'x.y', ...parameters })).toEqual({ s: 'abc', 'x.y': expect.stringMatching(pattern) }));

test('signs, and tells nothing of a bad key', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signed = await run({ action: 'sign', value: 'abc', algorithm: 'RSA-SHA256', privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) });
  expect(signed).toMatchObject({ data: expect.any(String) });
  const { data } = signed as { data: string };
  expect(createVerify('sha256').update('abc').verify(publicKey, data, 'hex')).toBe(true);
  expect(await run({ action: 'sign', value: 'abc', privateKey: 'PRIVATE-TEXT' })).toMatchObject({ code: 'InvalidCredential', message: expect.not.stringContaining('PRIVATE-TEXT') });
});

test('refuses an unknown digest and a missing file', async () => {
  expect(await run({ type: 'MD6' })).toMatchObject({ code: 'UnknownAlgorithm' });
  expect(await run({ binaryData: true, binaryPropertyName: 'f' })).toMatchObject({ code: 'BinaryMissing', itemIndex: 0 });
});
