import { expect, test } from '@jest/globals';
import type { RequestOptions } from '../../operator/kube/cluster.ts';
import { kubernetesAuth } from './kubernetes-auth.ts';

/** An API server that knows the token `good` until it is revoked. */
function apiServer() {
  const state = { revoked: false, audiences: undefined as string[] | undefined, tokens: [] as unknown[], access: [] as unknown[], waiting: [] as (() => void)[], slow: false };
  return {
    state,
    async request<T>(path: string, { body }: RequestOptions = {}): Promise<T> {
      const { spec } = body as { spec: { token?: string } };
      (path.includes('tokenreviews') ? state.tokens : state.access).push(spec);
      if (state.slow) await new Promise<void>((resolve) => { state.waiting.push(resolve); });
      const status = path.includes('tokenreviews')
        ? { authenticated: spec.token === 'good' && !state.revoked, user: { username: 'ada', uid: '7', groups: ['dev'], extra: { 'x/y': ['z'] } }, audiences: state.audiences }
        : { allowed: true };
      return { status } as T;
    },
  };
}

const unauthenticated = { code: 'Unauthenticated' };

test('a revoked token works for ten seconds at most', async () => {
  const server = apiServer();
  let now = 0;
  const auth = kubernetesAuth(server, { audiences: [], now: () => now });
  expect(await auth.authenticate('good')).toMatchObject({ username: 'ada' });
  server.state.revoked = true;
  now = 9999;
  expect(await auth.authenticate('good')).toMatchObject({ username: 'ada' });
  now = 10_000;
  await expect(auth.authenticate('good')).rejects.toMatchObject(unauthenticated);
});

test('a refused token is asked about again soon', async () => {
  const server = apiServer();
  let now = 0;
  const auth = kubernetesAuth(server, { audiences: [], now: () => now });
  server.state.revoked = true;
  await expect(auth.authenticate('good')).rejects.toMatchObject(unauthenticated);
  await expect(auth.authenticate('good')).rejects.toMatchObject(unauthenticated);
  expect(server.state.tokens).toHaveLength(1);
  server.state.revoked = false;
  now = 2000;
  expect(await auth.authenticate('good')).toMatchObject({ username: 'ada' });
});

test.each([
  { name: 'one of ours', audiences: ['millrace'], answered: ['millrace'], ok: true },
  { name: 'not ours', audiences: ['millrace'], answered: ['other'], ok: false },
  { name: 'not told', audiences: ['millrace'], answered: undefined, ok: false },
  { name: 'not asked for', audiences: [], answered: undefined, ok: true },
])('a token whose audience is $name', async ({ audiences, answered, ok }) => {
  const server = apiServer();
  server.state.audiences = answered;
  const auth = kubernetesAuth(server, { audiences, now: () => 0 });
  const outcome = auth.authenticate('good').then(() => true, () => false);
  expect(await outcome).toBe(ok);
  expect(server.state.tokens).toEqual([{ token: 'good', ...(audiences.length > 0 ? { audiences } : {}) }]);
});

test('asks for exactly the right that is needed, as the user that the token names', async () => {
  const server = apiServer();
  const auth = kubernetesAuth(server, { audiences: [], now: () => 0 });
  const user = await auth.authenticate('good');
  await auth.authorize(user, { verb: 'create', resource: 'workflowruns', namespace: 'shop' });
  await auth.authorize(user, { verb: 'create', resource: 'workflowruns', namespace: 'shop' });
  await auth.authorize(user, { verb: 'list', resource: 'workflowruns' });
  const who = { user: 'ada', uid: '7', groups: ['dev'], extra: { 'x/y': ['z'] } };
  expect(server.state.access).toEqual([
    { ...who, resourceAttributes: { group: 'millrace.dev', verb: 'create', resource: 'workflowruns', namespace: 'shop' } },
    { ...who, resourceAttributes: { group: 'millrace.dev', verb: 'list', resource: 'workflowruns' } },
  ]);
});

test('somebody who tries tokens does not flood the API server', async () => {
  const server = apiServer();
  server.state.slow = true;
  const auth = kubernetesAuth(server, { audiences: [], now: () => 0 });
  const outcomes = Promise.allSettled(Array.from({ length: 600 }, async (_, index) => auth.authenticate(`guess-${index}`)));
  await new Promise((resolve) => { setImmediate(resolve); });
  expect(server.state.tokens).toHaveLength(16);
  server.state.slow = false;
  for (const go of server.state.waiting) go();
  const codes = (await outcomes).map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'accepted'));
  expect(codes.filter((code) => code === 'TooManyRequests')).toHaveLength(600 - 16 - 512);
  expect(codes.filter((code) => code === 'Unauthenticated')).toHaveLength(16 + 512);
});
