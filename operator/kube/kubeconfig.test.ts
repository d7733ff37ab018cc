import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { connect } from './connection.ts';
import { inCluster } from './in-cluster.ts';
import { kubeconfig } from './kubeconfig.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
});
afterAll(() => rm(dir, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const ask = { signal: new AbortController().signal, rejected: false };
let files = 0;

async function write(content: unknown): Promise<string> {
  files += 1;
  const file = join(dir, `config-${files}`);
  await writeFile(file, typeof content === 'string' ? content : stringify(content));
  return file;
}

function config(user: object, cluster: object = {}): object {
  return {
    'current-context': 'main',
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://example.test:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
  };
}

const read = async (user: object, cluster: object = {}): Promise<object> => kubeconfig({ files: [await write(config(user, cluster))], now: () => 0 })(ask);

test('certificates inline and in files, which are relative to the kubeconfig', async () => {
  await writeFile(join(dir, 'client.key'), 'KEY');
  const found = await read(
    { 'client-certificate-data': base64('CERT'), 'client-key': 'client.key' },
    { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'api', 'proxy-url': 'http://proxy:3128' },
  );
  expect(found).toEqual({
    server: 'https://example.test:6443',
    namespace: 'shop',
    tls: { ca: 'CA', cert: 'CERT', key: 'KEY', serverName: 'api' },
    headers: {},
    proxyUrl: 'http://proxy:3128',
  });
});

test.each([
  { name: 'a token', user: { token: 't' }, want: { authorization: 'Bearer t' } },
  { name: 'a password', user: { username: 'u', password: 'p' }, want: { authorization: `Basic ${base64('u:p')}` } },
  { name: 'impersonation', user: { token: 't', as: 'ann' }, want: { authorization: 'Bearer t', 'impersonate-user': 'ann' } },
  { name: 'nothing', user: {}, want: {} },
])('$name becomes headers', async ({ user, want }) => {
  expect(await read(user)).toMatchObject({ headers: want });
});

test('a token file is read each time, the kubeconfig when it changes', async () => {
  const token = join(dir, 'token');
  await writeFile(token, 'one\n');
  const file = await write(config({ tokenFile: token }));
  const source = kubeconfig({ files: [file], now: () => 0 });
  expect(await source(ask)).toMatchObject({ headers: { authorization: 'Bearer one' } });
  await writeFile(token, 'two\n');
  expect(await source(ask)).toMatchObject({ headers: { authorization: 'Bearer two' } });
  await writeFile(file, stringify(config({ token: 'inline-three' })));
  expect(await source(ask)).toMatchObject({ headers: { authorization: 'Bearer inline-three' } });
});

test('a credential plugin runs again when what it gave expires or is refused', async () => {
  const counter = join(dir, 'runs');
  const plugin = join(dir, 'plugin.sh');
  await writeFile(counter, '');
  await writeFile(
    plugin,
    `#!/bin/sh
echo x >> ${counter}
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'$PREFIX$(wc -l < ${counter} | tr -d ' ')'","expirationTimestamp":"2026-01-01T00:10:00Z"}}'
`,
  );
  await chmod(plugin, 0o755);
  let now = Date.parse('2026-01-01T00:00:00Z');
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, env: [{ name: 'PREFIX', value: 'run-' }], provideClusterInfo: true };
  const source = kubeconfig({ files: [await write(config({ exec }))], now: () => now });
  const token = async (rejected = false): Promise<string | undefined> => (await source({ ...ask, rejected })).headers['authorization'];
  expect([await token(), await token()]).toEqual(['Bearer run-1', 'Bearer run-1']);
  now += 600_000;
  expect(await token()).toBe('Bearer run-2');
  now -= 600_000;
  expect(await token(true)).toBe('Bearer run-3');
});

test.each([
  { name: 'prints no JSON', command: '/bin/echo', args: ['secret-token'], want: 'did not print an ExecCredential' },
  { name: 'fails', command: '/bin/false', args: [], want: 'exited with 1' },
  { name: 'is not installed', command: '/no/such/plugin', args: [], want: 'could not be run' },
])('a credential plugin that $name is an error without its output', async ({ command, args, want }) => {
  const failure = await read({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command, args } }).catch((err: unknown) => err as Error);
  expect(inspect(failure)).toContain(want);
  expect(inspect(failure)).not.toContain('secret-token');
});

test.each([
  { name: 'no current context', content: {}, want: 'no current context' },
  { name: 'an unknown context', content: { 'current-context': 'x' }, want: 'no context x' },
  { name: 'an unknown cluster', content: { ...config({}), clusters: [] }, want: 'names cluster c' },
  { name: 'an auth-provider', content: config({ 'auth-provider': { name: 'gcp' } }), want: 'exec plugin' },
  { name: 'another document', content: 'just text', want: 'is not a kubeconfig' },
])('$name is told', async ({ content, want }) => {
  await expect(kubeconfig({ files: [await write(content)], now: () => 0 })(ask)).rejects.toThrow(want);
});

test('several files are one: the first that names something wins', async () => {
  const first = await write({ 'current-context': 'main', contexts: [{ name: 'main', context: { cluster: 'c', user: 'mine' } }], users: [{ name: 'mine', user: { token: 'first' } }] });
  const second = await write({ ...config({ token: 'second' }), 'current-context': 'other' });
  const found = await kubeconfig({ files: [first, second], now: () => 0 })(ask);
  expect(found).toMatchObject({ server: 'https://example.test:6443', headers: { authorization: 'Bearer first' }, namespace: 'default' });
  const other = await kubeconfig({ files: [first, second], context: 'main', now: () => 0 })(ask);
  expect(other).toMatchObject({ headers: { authorization: 'Bearer first' } });
});

test('in a pod the mounted service account is read each time', async () => {
  await Promise.all([writeFile(join(dir, 'ca.crt'), 'CA'), writeFile(join(dir, 'namespace'), 'shop\n'), writeFile(join(dir, 'token'), 'pod-1')]);
  const source = inCluster({ host: 'fd00::1', port: '443', mount: dir });
  expect(await source(ask)).toEqual({ server: 'https://[fd00::1]:443', namespace: 'shop', tls: { ca: 'CA' }, headers: { authorization: 'Bearer pod-1' } });
  await writeFile(join(dir, 'token'), 'pod-2');
  expect(await source(ask)).toMatchObject({ headers: { authorization: 'Bearer pod-2' } });
});

test('connect finds the cluster in KUBECONFIG, or says what to do', async () => {
  const file = await write(config({ token: 't' }));
  const cluster = await connect({ env: { KUBECONFIG: file } });
  expect(cluster.namespace).toBe('shop');
  await cluster.close();
  await expect(connect({ env: { HOME: '/nonexistent' } })).rejects.toThrow('set KUBECONFIG');
});
