import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { kinds } from '../../crds/kinds.ts';

// The machine may be busy; the world is asked often, so nothing is slower for it.
jest.setTimeout(180_000);

const crds = join(import.meta.dirname, '../../crds');
const manifests = (folder: string) => readdirSync(join(crds, 'testdata', folder)).sort().map((file) => ({ file, path: join(crds, 'testdata', folder, file) }));

let cluster: ControlPlane;

beforeAll(async () => {
  cluster = await startControlPlane();
  await cluster.kubectl('apply', '--server-side', '-f', join(crds, 'generated'));
  await cluster.kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
  await cluster.kubectl('create', 'namespace', 'shop');
}, 240_000);

afterAll(() => cluster.stop());

async function refusal(action: Promise<unknown>): Promise<string> {
  return action.then(() => 'accepted', (error: unknown) => (error instanceof Error ? error.message : String(error)));
}

describe('what the API server takes and refuses', () => {
  test.each(manifests('valid'))('$file is accepted and kept as written', async ({ path }) => {
    const out = await cluster.kubectl('apply', '--server-side', '--validate=strict', '-o', 'json', '-f', path);
    const { spec, status } = JSON.parse(out);
    const written = JSON.parse(await cluster.kubectl('create', '--dry-run=client', '--validate=false', '-o', 'json', '-f', path));
    expect(spec).toEqual(written.spec);
    expect(status).toEqual({ observedGeneration: -1 });
  });

  test.each(manifests('invalid'))('$file is refused with the message it names', async ({ path }) => {
    const want = /^# refused: (.*)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 'no expectation';
    expect(await refusal(cluster.kubectl('create', '--dry-run=server', '--validate=strict', '-f', path))).toContain(want);
  });

  test.each([
    { patch: { spec: { items: [{ json: { body: { total: 1300 } } }] } }, want: 'spec.items: Forbidden: items cannot be changed: a run is one execution; create another WorkflowRun' },
    { patch: { spec: { startNode: null } }, want: 'spec.startNode: Forbidden: startNode cannot be changed' },
    { patch: { spec: { workflowRef: { name: 'other' } } }, want: 'spec.workflowRef: Forbidden: workflowRef cannot be changed' },
    { patch: { spec: { cancel: true } }, want: 'accepted' },
    { patch: { spec: { cancel: false } }, want: 'spec.cancel: Forbidden: cancel cannot be taken back' },
    { patch: { spec: { ttlAfterFinished: '2h' } }, want: 'accepted' },
  ])('a run that exists and the change $patch: $want', async ({ patch, want }) => {
    expect(await refusal(cluster.kubectl('patch', 'mrun', 'full', '-n', 'shop', '--type=merge', '-p', JSON.stringify(patch)))).toContain(want);
  });
});

test('kubectl explains, lists by category and scales', async () => {
  for (const kind of kinds) expect(await cluster.kubectl('explain', `${kind.plural}.spec`)).toContain('FIELDS');
  expect(await cluster.kubectl('get', 'millrace', '-n', 'shop')).toContain('order-intake');
  await cluster.kubectl('scale', 'mpool', 'default', '-n', 'shop', '--replicas=2');
  expect(await cluster.kubectl('get', 'mpool', 'default', '-n', 'shop', '-o', 'jsonpath={.spec.replicas}')).toBe('2');
});

test('two people who apply different nodes of one workflow keep both', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
  try {
    for (const name of ['A', 'B']) {
      const file = join(folder, `${name}.json`);
      await writeFile(file, JSON.stringify({
        apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: 'shared', namespace: 'shop' }, spec: { nodes: [{ name, type: 'set' }] },
      }));
      await cluster.kubectl('apply', '--server-side', `--field-manager=person-${name}`, '-f', file);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(await cluster.kubectl('get', 'mwf', 'shared', '-n', 'shop', '-o', 'jsonpath={.spec.nodes[*].name}')).toBe('A B');
});
