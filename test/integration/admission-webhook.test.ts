import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { createAuthority, issueServing } from '../../operator/controllers/webhook-certificates/certificate.ts';
import type { Cluster } from '../../operator/kube/index.ts';
import { connect, silentLog } from '../../operator/kube/index.ts';
import { nodeTypes } from '../../runner/nodes/registry.ts';
import type { Admission } from '../../webhooks/admission.ts';
import { createAdmission } from '../../webhooks/admission.ts';
import { WORKFLOW_PATH, validatingConfiguration } from '../../webhooks/configuration.ts';
import { HOME, WEBHOOKS, eventually, isReady, startWorld, until } from './controllers-setup.ts';
import type { World } from './controllers-setup.ts';

// The machine may be busy; the world is asked often, so nothing is slower for it.
jest.setTimeout(180_000);

const DAY_MS = 86_400_000;
let world: World;
let cluster: Cluster;
let admission: Admission | undefined;
let port = 0;
const stop = new AbortController();
let running: Promise<void> | undefined;

const workflow = (name: string, spec: object) => ({ apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: 'shop' }, spec });
const hook = (path: string) => ({ name: 'Hook', type: 'webhook', parameters: { httpMethod: 'POST', path } });
const refusal = (action: Promise<unknown>): Promise<string> => action.then(() => 'accepted', (error: unknown) => (error instanceof Error ? error.message : String(error)));
const secretOf = (pair: { cert: string; key: string }) => ({
  apiVersion: 'v1', kind: 'Secret', metadata: { name: 'serving', namespace: HOME }, type: 'kubernetes.io/tls', stringData: { 'tls.crt': pair.cert, 'tls.key': pair.key },
});

async function listen(): Promise<void> {
  admission = createAdmission({ cluster, nodeTypes, log: silentLog, home: HOME, secret: 'serving', namespaces: [] });
  running = admission.run(stop.signal);
  admission.server.listen(port, '127.0.0.1');
  await once(admission.server, 'listening');
  await until(async () => (admission?.ready() === true ? true : undefined));
}

beforeAll(async () => {
  world = await startWorld();
  await world.startOperator();
  cluster = await connect({ kubeconfig: world.plane.kubeconfig });
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  probe.close();
  const authority = createAuthority(Date.now(), DAY_MS);
  await world.plane.apply(secretOf(issueServing(authority, ['localhost'], { now: Date.now(), lifetimeMs: DAY_MS })));
  await listen();
  await world.plane.apply(validatingConfiguration({
    name: 'test-webhooks', clientConfig: { url: `https://localhost:${port}${WORKFLOW_PATH}`, caBundle: Buffer.from(authority.cert).toString('base64') }, operator: 'nobody',
  }));
  // The API server takes a moment to use a new configuration.
  await until(async () => ((await refusal(world.plane.apply(workflow('probe', { active: true, nodes: [{ name: 'A', type: 'nonsense' }] })))).includes('denied') ? true : undefined));
  await world.plane.kubectl('delete', 'mwf', 'probe', '-n', 'shop', '--ignore-not-found');
}, 240_000);

afterAll(async () => {
  stop.abort();
  admission?.server.close();
  await running;
  await cluster.close();
  await world.stop();
});

describe('the admission webhook', () => {
  test('refuses an active workflow with the message that names what is wrong', async () => {
    const message = await refusal(world.plane.apply(workflow('wrong', { active: true, nodes: [hook('wrong'), { name: 'Next', type: 'swich' }] })));
    expect(message).toContain('admission webhook "workflows.millrace.dev" denied the request: node \'Next\': There is no node type \'swich\'. Did you mean \'switch\'? (UnknownNodeType)');
  });

  test('lets a draft pass, in a dry run alike', async () => {
    const draft = workflow('draft', { nodes: [hook('draft'), { name: 'Next', type: 'swich' }] });
    await cluster.request('/apis/millrace.dev/v1alpha1/namespaces/shop/workflows', { method: 'POST', body: draft, query: { dryRun: 'All' } });
    await world.plane.apply(draft);
    expect((await eventually(world, ['mwf', 'draft'], isReady)).status?.nodes).toBe(2);
  });

  test('refuses what is larger than a spec may be', async () => {
    expect(await refusal(world.plane.apply(workflow('large', { nodes: [{ name: 'A', type: 'set', parameters: { text: 'x'.repeat(600_000) } }] })))).toContain('WorkflowTooLarge');
  });

  test('refuses a path that another workflow has, and allows it once that one is off', async () => {
    await world.plane.apply(workflow('first', { active: true, nodes: [hook('one')] }));
    await eventually(world, ['mwf', 'first'], isReady);
    const second = workflow('second', { active: true, nodes: [hook('one')] });
    await until(async () => ((await refusal(world.plane.apply(second))).includes('is taken by Workflow first') ? true : undefined));
    await world.plane.apply(workflow('first', { active: false, nodes: [hook('one')] }));
    expect(await until(async () => ((await refusal(world.plane.apply(second))) === 'accepted' ? true : undefined))).toBe(true);
  });

  test('goes on with a renewed certificate', async () => {
    const authority = createAuthority(Date.now(), DAY_MS);
    const pair = issueServing(authority, ['localhost'], { now: Date.now(), lifetimeMs: DAY_MS });
    await world.plane.apply(validatingConfiguration({
      name: 'test-webhooks', clientConfig: { url: `https://localhost:${port}${WORKFLOW_PATH}`, caBundle: Buffer.from(authority.cert).toString('base64') }, operator: 'nobody',
    }), secretOf(pair));
    const renewed = workflow('renewed', { active: true, nodes: [hook('renewed')] });
    expect(await until(async () => ((await refusal(world.plane.apply(renewed))) === 'accepted' ? true : undefined))).toBe(true);
  });

  test('when it is dead, stops changes of specs and nothing else', async () => {
    await world.plane.apply(workflow('kept', { active: true, nodes: [hook('kept')] }));
    await eventually(world, ['mwf', 'kept'], isReady);
    admission?.server.close();
    admission?.server.closeAllConnections();

    expect(await refusal(world.plane.apply(workflow('kept', { active: false, nodes: [hook('kept')] })))).toContain('failed calling webhook');
    await world.plane.kubectl('label', 'mwf', 'kept', '-n', 'shop', 'team=orders');
    await world.plane.kubectl('annotate', 'mwf', 'kept', '-n', 'shop', 'millrace.dev/reconcile-requested-at=now');
    await eventually(world, ['mwf', 'kept'], ({ status }) => status?.lastHandledReconcileAt === 'now');
    await world.plane.kubectl('delete', 'mwf', 'kept', '-n', 'shop', '--timeout=20s');
    expect(await world.plane.kubectl('get', 'mwf', 'kept', '-n', 'shop', '--ignore-not-found')).toBe('');
  });
});

test('the operator makes the certificates and tells the API server whom to trust', async () => {
  await world.plane.apply({
    ...validatingConfiguration({ name: WEBHOOKS.configuration, operator: 'nobody', clientConfig: { service: { namespace: HOME, name: WEBHOOKS.service, port: 443, path: WORKFLOW_PATH } } }),
  });
  const bundle = await until(async () => {
    const encoded = await world.plane.kubectl('get', 'validatingwebhookconfiguration', WEBHOOKS.configuration, '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}');
    return encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString();
  });
  const secret = await until(async () => {
    const found = await world.plane.kubectl('get', 'secret', WEBHOOKS.secret, '-n', HOME, '-o', 'json', '--ignore-not-found');
    return found === '' ? undefined : JSON.parse(found);
  });
  const serving = new X509Certificate(Buffer.from(secret.data['tls.crt'], 'base64'));
  expect([secret.type, serving.checkIssued(new X509Certificate(bundle)), serving.checkHost(`${WEBHOOKS.service}.${HOME}.svc`)]).toEqual(['kubernetes.io/tls', true, `${WEBHOOKS.service}.${HOME}.svc`]);

  await world.plane.kubectl('delete', 'secret', WEBHOOKS.secret, '-n', HOME);
  const again = await until(async () => {
    const found = await world.plane.kubectl('get', 'secret', WEBHOOKS.secret, '-n', HOME, '-o', 'json', '--ignore-not-found');
    return found === '' ? undefined : JSON.parse(found);
  });
  expect(again.data['tls.crt']).not.toBe(secret.data['tls.crt']);
});
