import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../eventually.ts';
import { Millrace } from './millrace.ts';

jest.setTimeout(600_000);

let millrace: Millrace;
let image: string;

beforeAll(async () => {
  millrace = await Millrace.start('containers');
  const [runner] = await millrace.pods('app.kubernetes.io/component=runner');
  image = (await millrace.cluster.kubectl('get', 'pod', runner?.metadata.name ?? '', '--namespace', millrace.system, '--output', 'jsonpath={.spec.containers[0].image}')).trim();
});
afterAll(async () => {
  await millrace.remove();
});

/** Deploys a workflow of one container that runs this script, and asks for a run of the same name. */
async function run(name: string, script: string, parameters: object = {}): Promise<void> {
  await millrace.deploy(name, {
    nodes: [
      { name: 'Start', type: 'manualTrigger', position: [0, 0] },
      { name: 'Pod', type: 'container', position: [200, 0], parameters: { image, args: ['-e', script], env: [{ name: 'WORD', value: '={{ $json.word }}' }], ...parameters } },
    ],
    connections: [{ from: 'Start', output: 0, to: 'Pod', input: 0, type: 'main' }],
  });
  await millrace.cluster.apply({
    apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name, namespace: millrace.namespace }, spec: { workflowRef: { name }, items: [{ json: { word: 'hello' } }] },
  });
}

interface Node {
  outputs: { json: Record<string, unknown> }[][];
  error?: { code: string; description?: string };
}

async function ended(name: string): Promise<{ status: string; pod: Node | undefined }> {
  const [execution] = await millrace.finished(name, 1);
  const { json } = await millrace.api(`/executions/${execution?.id ?? ''}/nodes/Pod`);
  return { status: execution?.status ?? '', pod: (json as { items: Node[] }).items[0] };
}

test('a pod of the restricted profile puts out JSON, and its log is kept', async () => {
  await run('echo', "console.log('about to say it'); require('fs').writeFileSync('/dev/termination-log', JSON.stringify({ said: process.env.WORD }))");
  expect(await ended('echo')).toMatchObject({ status: 'Succeeded', pod: { outputs: [[{ json: { exitCode: 0, result: { said: 'hello' }, log: 'about to say it\n', attempts: 1 } }]] } });
});

test('an exit code fails the node, with the end of the log', async () => {
  await run('fails', "console.error('no such table'); process.exitCode = 3");
  expect(await ended('fails')).toMatchObject({ status: 'Failed', pod: { error: { code: 'ContainerFailed', description: 'no such table\n' } } });
});

test('files go into a pod of the restricted profile, come out of it, and go into the next', async () => {
  const labels = JSON.parse(await millrace.cluster.kubectl('get', 'namespace', millrace.namespace, '--output', 'jsonpath={.metadata.labels}')) as Record<string, string>;
  expect(labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
  const [first, second] = [
    "const fs = require('fs'); const word = fs.readFileSync('/in/word.txt', 'utf8'); fs.writeFileSync('/out/word.txt', word.toUpperCase()); fs.mkdirSync('/out/many/sub', { recursive: true }); fs.writeFileSync('/out/many/sub/n', '42');",
    "const fs = require('fs'); fs.writeFileSync('/dev/termination-log', JSON.stringify({ word: fs.readFileSync('/etc/word.txt', 'utf8'), n: fs.readFileSync('/many/sub/n', 'utf8'), hosts: fs.existsSync('/etc/hosts') }))",
  ];
  await millrace.deploy('files', {
    nodes: [
      { name: 'Start', type: 'manualTrigger', position: [0, 0] },
      { name: 'File', type: 'convertToFile', position: [200, 0], parameters: { operation: 'toText', sourceProperty: 'word' } },
      {
        name: 'Make', type: 'container', position: [400, 0], parameters: { image, args: ['-e', first], artifacts: {
          in: [{ binaryProperty: 'data', path: '/in/word.txt' }],
          out: [{ path: '/out/word.txt', binaryProperty: 'word' }, { path: '/out/many', binaryProperty: 'many', pack: true }, { path: '/out/none', binaryProperty: 'none', optional: true }],
        } },
      },
      {
        name: 'Pod', type: 'container', position: [600, 0],
        parameters: { image, args: ['-e', second], artifacts: { in: [{ binaryProperty: 'word', path: '/etc/word.txt' }, { binaryProperty: 'many', path: '/many', unpack: true }] } },
      },
    ],
    connections: [['Start', 'File'], ['File', 'Make'], ['Make', 'Pod']].map(([from, to]) => ({ from, output: 0, to, input: 0, type: 'main' })),
  });
  await millrace.cluster.apply({
    apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name: 'files', namespace: millrace.namespace }, spec: { workflowRef: { name: 'files' }, items: [{ json: { word: 'hello' } }] },
  });
  expect(await ended('files')).toMatchObject({ status: 'Succeeded', pod: { outputs: [[{ json: { result: { word: 'HELLO', n: '42', hosts: true }, attempts: 1 } }]] } });
});

test('an evicted pod is made anew', async () => {
  await run('evicted', "if (process.env.MILLRACE_ATTEMPT === '1') setInterval(() => undefined, 1000); else console.log(JSON.stringify({ attempt: 2 }))", { resultFrom: 'log' });
  const pod = await until(async () => {
    const found = (await millrace.kubectl('get', 'pods', '--selector', 'millrace.dev/workflow=evicted', '--field-selector', 'status.phase=Running', '--output', 'name')).trim();
    return found === '' ? undefined : found.replace('pod/', '');
  }, { withinMs: 120_000 });
  const directory = await mkdtemp(join(tmpdir(), 'millrace-evict-'));
  const file = join(directory, 'eviction.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: millrace.namespace }, deleteOptions: { gracePeriodSeconds: 1 } }));
  await millrace.kubectl('create', '--raw', `/api/v1/namespaces/${millrace.namespace}/pods/${pod}/eviction`, '--filename', file);
  await rm(directory, { recursive: true });
  expect(await ended('evicted')).toMatchObject({ status: 'Succeeded', pod: { outputs: [[{ json: { result: { attempt: 2 }, attempts: 2 } }]] } });
});

test('an isolated execution runs in a runner pod of its own, and in another one after that is killed', async () => {
  await millrace.deploy('isolated', {
    settings: { isolation: 'pod' },
    nodes: [
      { name: 'Start', type: 'manualTrigger', position: [0, 0] },
      { name: 'Sleep', type: 'wait', position: [200, 0], parameters: { amount: 15, unit: 'seconds' } },
      { name: 'Say', type: 'set', position: [400, 0], parameters: { assignments: { assignments: [{ id: 'a', name: 'said', type: 'string', value: 'hello' }] } } },
    ],
    connections: [{ from: 'Start', output: 0, to: 'Sleep', input: 0, type: 'main' }, { from: 'Sleep', output: 0, to: 'Say', input: 0, type: 'main' }],
  });
  await millrace.cluster.apply({ apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name: 'isolated', namespace: millrace.namespace }, spec: { workflowRef: { name: 'isolated' } } });
  await millrace.kubectl('wait', '--for=jsonpath={.status.phase}=Running', 'workflowruns.millrace.dev/isolated', '--timeout=120s');
  const [pod] = await millrace.pods(`millrace.dev/execution,millrace.dev/workflow-namespace=${millrace.namespace}`);
  await millrace.killPod(pod?.metadata.uid ?? '');
  await millrace.kubectl('wait', '--for=condition=Complete', 'workflowruns.millrace.dev/isolated', '--timeout=180s');
  expect(await millrace.finished('isolated', 1)).toMatchObject([{ status: 'Succeeded', attempts: 2 }]);
  expect(await millrace.pods(`millrace.dev/execution,millrace.dev/workflow-namespace=${millrace.namespace}`)).toHaveLength(2);
});
