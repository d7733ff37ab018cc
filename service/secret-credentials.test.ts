import { expect, test } from '@jest/globals';
import { KubeError } from '../operator/kube/errors.ts';
import { silentLog } from '../operator/kube/log.ts';
import { credentialReader } from './secret-credentials.ts';

/** A reader over one answer of the API server, which a test changes, with a clock that it moves. */
function world() {
  const secret = { metadata: { labels: { 'millrace.dev/credential-type': 'httpHeaderAuth' } }, data: { name: 'WC1LZXk=', value: 'czNjcmV0' } };
  const state = { now: 1e6, asked: [] as string[], results: [] as string[], answer: (): unknown => secret };
  const request = async (path: string): Promise<never> => {
    state.asked.push(path);
    return state.answer() as never;
  };
  const read = credentialReader({ cluster: { request }, log: silentLog, monotonic: () => state.now, onRead: (result) => state.results.push(result) });
  return { state, read: (type = 'httpHeaderAuth') => read('shop', { type, secret: 'callers' }), secret };
}

const failing = (status: number) => () => { throw new KubeError({ status, reason: 'Reason', message: 'no' }); };
const fields = { name: 'X-Key', value: 's3cret' };

test('a Secret is read once for all who want it now, and again after ten seconds', async () => {
  const { state, read } = world();
  expect(await Promise.all([read(), read(), read()])).toEqual([{ fields }, { fields }, { fields }]);
  expect(state.asked).toEqual(['/api/v1/namespaces/shop/secrets/callers']);
  state.now += 10_000;
  state.answer = failing(404);
  expect(await read()).toEqual({ refused: 'NotFound' });
  expect(state.results).toEqual(['Read', 'NotFound']);
});

test.each([
  { name: 'is not there', answer: failing(404), want: 'NotFound' },
  { name: 'may not be read', answer: failing(403), want: 'NotGranted' },
  { name: 'cannot be asked for', answer: failing(0), want: 'Unavailable' },
  { name: 'has no label', answer: () => ({ metadata: {}, data: { password: 'eA==' } }), want: 'Unlabeled' },
])('a Secret that $name is refused', async ({ answer, want }) => {
  const { state, read } = world();
  state.answer = answer;
  expect(await read()).toEqual({ refused: want });
});

test('a Secret of another type is refused', async () => {
  expect(await world().read('httpBasicAuth')).toEqual({ refused: 'Unlabeled' });
});

test('while the API server is away what was read holds for an hour', async () => {
  const { state, read } = world();
  await read();
  state.answer = failing(0);
  state.now += 3_599_000;
  expect(await read()).toEqual({ fields });
  state.now += 2000;
  expect(await read()).toEqual({ refused: 'Unavailable' });
});
