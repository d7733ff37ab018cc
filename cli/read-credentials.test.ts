import { expect, test } from '@jest/globals';
import { readCredentials } from './read-credentials.ts';

const read = (text: string) => readCredentials('secrets.yaml', { out() {}, err() {}, env: {}, home: '/', now: () => 0, read: async () => text });
const labels = 'labels: {millrace.dev/credential-type: httpHeaderAuth}';

test('Secrets become credentials by type and name, stringData before data', async () => {
  const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: a, ${labels}}\nstringData: {value: new}\ndata: {name: WC1LZXk=, value: b2xk}\n---\n{"kind":"Secret","metadata":{"name":"b",${JSON.stringify('labels')}:{"millrace.dev/credential-type":"jwtAuth"}}}`;
  expect(await read(text)).toEqual({ 'httpHeaderAuth/a': { name: 'X-Key', value: 'new' }, 'jwtAuth/b': {} });
  expect(await read('')).toEqual({});
});

test.each([
  'kind: Secret\nmetadata: {name: a}\nstringData: {value: s3cret}',
  `kind: ConfigMap\nmetadata: {name: a, ${labels}}\ndata: {value: s3cret}`,
  `kind: Secret\nmetadata: {name: a, ${labels}}\nstringData: {value: {s3cret: 1}}`,
  'kind: [s3cret',
])('what is no labeled Secret is refused without showing it: %j', async (text) => {
  const refused = read(text);
  await expect(refused).rejects.toThrow('Document 1 of secrets.yaml is no Secret');
  await expect(refused).rejects.not.toThrow('s3cret');
});
