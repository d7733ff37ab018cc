import { expect, test } from '@jest/globals';
import type { CredentialReference } from '../engine/credential.ts';
import type { WorkflowDefinition } from '../engine/workflow.ts';
import type { CredentialRead } from '../../service/secret-credentials.ts';
import { NodeCredentials } from './node-credentials.ts';

const definition: WorkflowDefinition = {
  id: 'shop/orders', name: 'orders', connections: [],
  nodes: [
    { name: 'Send', type: 'httpRequest', credentials: { httpHeaderAuth: { name: 'Shop key' }, crypto: { name: '***' } } },
    { name: 'Other', type: 'httpRequest', credentials: { httpBasicAuth: { name: 'other' } } },
  ],
};

function credentials(answer: CredentialRead = { fields: { value: 's3cret' } }) {
  const asked: [string, CredentialReference][] = [];
  const loaded: string[] = [];
  const revisions = { get: async (revision: string) => { loaded.push(revision); return revision === 'r1' ? definition : undefined; } };
  const all = new NodeCredentials(revisions, async (...wanted) => { asked.push(wanted); return answer; });
  return { asked, loaded, of: (node: string, type: string, revision = 'r1') => all.of('shop', { revision, node, type }) };
}

test('a node gets the credential that its stored revision names', async () => {
  const { of, asked, loaded } = credentials();
  expect(await of('Send', 'httpHeaderAuth')).toEqual({ value: 's3cret' });
  await of('Other', 'httpBasicAuth');
  expect(asked).toEqual([['shop', { type: 'httpHeaderAuth', secret: 'shop-key' }], ['shop', { type: 'httpBasicAuth', secret: 'other' }]]);
  expect(loaded).toEqual(['r1']);
});

test.each<{ name: string; ask: [string, string, string?]; code: string }>([
  { name: 'another type', ask: ['Send', 'httpBasicAuth'], code: 'CredentialNotAllowed' },
  { name: 'an inherited name', ask: ['Send', 'constructor'], code: 'CredentialNotAllowed' },
  { name: 'a node that is not there', ask: ['Nobody', 'httpHeaderAuth'], code: 'CredentialNotAllowed' },
  { name: 'a name that no Secret has', ask: ['Send', 'crypto'], code: 'CredentialNotFound' },
  { name: 'a revision that is not there', ask: ['Send', 'httpHeaderAuth', 'r2'], code: 'RevisionNotFound' },
])('$name is refused without asking for a Secret', async ({ ask, code }) => {
  const { of, asked } = credentials();
  await expect(of(...ask)).rejects.toMatchObject({ code });
  expect(asked).toEqual([]);
});

test.each([
  { refused: 'NotFound', code: 'CredentialNotFound' },
  // Nobody learns this way that there is such a Secret.
  { refused: 'Unlabeled', code: 'CredentialNotFound' },
  { refused: 'NotGranted', code: 'CredentialNotGranted' },
  { refused: 'Unavailable', code: 'CredentialUnavailable' },
] as const)('$refused is told as $code', async ({ refused, code }) => {
  await expect(credentials({ refused }).of('Send', 'httpHeaderAuth')).rejects.toMatchObject({ code });
});
