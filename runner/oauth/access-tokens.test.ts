import { expect, test } from '@jest/globals';
import type { JsonObject } from '../engine/item.ts';
import { AccessTokens } from './access-tokens.ts';

const fields = { grantType: 'clientCredentials', accessTokenUrl: 'https://id.example/token', clientId: 'i d', clientSecret: 's3cret', scope: 'x' };

/** A token endpoint that counts, in a time that a test sets. */
function world(answer: (n: number) => { status?: number; body: string } = (n) => ({ body: JSON.stringify({ access_token: `t${n}`, expires_in: 3600 }) })) {
  const state = { now: 0, asked: [] as { body: string; authorization: string | undefined }[] };
  const tokens = new AccessTokens({
    monotonic: () => state.now,
    fetch: async () => async (_, { body, headers }) => {
      state.asked.push({ body: typeof body === 'string' ? body : '', authorization: (headers as Record<string, string>).authorization });
      const { status = 200, body: text } = answer(state.asked.length);
      return new Response(text, { status });
    },
  });
  return { state, get: (more: JsonObject = {}, refused?: string, namespace = 'shop') => tokens.get(namespace, { ...fields, ...more }, refused) };
}

test('a token is fetched once for all who want it, until shortly before it expires', async () => {
  const { state, get } = world();
  expect(await Promise.all([get(), get(), get()])).toEqual(['t1', 't1', 't1']);
  expect(state.asked).toEqual([{ body: 'grant_type=client_credentials&scope=x', authorization: `Basic ${Buffer.from('i%20d:s3cret').toString('base64')}` }]);
  state.now = 3_539_000;
  expect(await get()).toBe('t1');
  state.now = 3_541_000;
  expect(await Promise.all([get(), get()])).toEqual(['t2', 't2']);
});

test('another namespace and a changed credential have tokens of their own', async () => {
  const { get } = world();
  expect([await get(), await get({}, undefined, 'other'), await get({ clientSecret: 'new', authentication: 'body' }), await get()]).toEqual(['t1', 't2', 't3', 't1']);
});

test('a token that a service refuses is replaced, but not over and over', async () => {
  const { state, get } = world();
  await get();
  expect(await get({}, 't1')).toBe('t1');
  state.now = 10_000;
  expect(await get({}, 't1')).toBe('t2');
  expect(await get({}, 't1')).toBe('t2');
});

test.each([
  { name: 'an error', answer: () => ({ status: 401, body: '{"error":"s3cret"}' }) },
  { name: 'no token', answer: () => ({ body: '{}' }) },
  { name: 'no JSON', answer: () => ({ body: 's3cret' }) },
  { name: 'a redirect', answer: () => ({ status: 302, body: '' }) },
])('$name is told without secrets, and is not kept', async ({ answer }) => {
  const { state, get } = world(answer);
  for (const count of [1, 2]) {
    await expect(get()).rejects.toMatchObject({ code: 'InvalidCredential', message: expect.not.stringContaining('s3cret') });
    expect(state.asked).toHaveLength(count);
  }
});

test('a credential that cannot fetch one is told so', async () => {
  await expect(world().get({ grantType: 'authorizationCode' })).rejects.toMatchObject({ code: 'InvalidCredential' });
});
