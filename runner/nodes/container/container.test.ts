import { expect, test } from '@jest/globals';
import type { ContainerBatch, ContainerResult } from '../../engine/container.ts';
import { execute } from '../../engine/engine.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import { testHost } from '../../engine/testing/test-host.ts';
import type { OnError, RetryPolicy } from '../../engine/workflow.ts';
import { nodeTypes } from '../registry.ts';
import { containerProblems, readContainerSpec } from './container-spec.ts';

interface Given {
  parameters?: JsonObject;
  items?: JsonObject[];
  binary?: Item['binary'];
  node?: { onError?: OnError; retry?: RetryPolicy };
  /** What the pods' results are, life by life. */
  results?: (ContainerResult[] | undefined)[];
}

/** Runs the node; each further life begins with the checkpoints of the ones before, as a runner would. */
async function lives({ parameters = { image: 'busybox' }, items = [{}], binary, node = {}, results = [undefined] }: Given) {
  const batches: ContainerBatch[] = [];
  const host = testHost({ runContainers: async (batch) => {
    batches.push(batch);
    return results[batches.length - 1];
  } });
  const workflow = {
    id: 'test/container', name: 'container', nodes: [{ name: 'Start', type: 'manualTrigger' }, { name: 'Pod', type: 'container', parameters, ...node }],
    connections: [{ from: 'Start', output: 0, to: 'Pod', input: 0, type: 'main' }],
  };
  const life = () => execute({ executionId: 'e', mode: 'Manual', workflow, start: { node: 'Start', items: items.map((json) => ({ json, ...(binary && { binary }) })) }, resume: structuredClone(host.checkpoints) }, host, nodeTypes);
  let result = await life();
  for (let n = 1; n < results.length; n += 1) result = await life();
  return { result, batches, host };
}

const done = (result: unknown): ContainerResult => ({ exitCode: 0, result, log: 'hello', pod: 'p', attempts: 1 });
const failed: ContainerResult = { exitCode: 3, log: 'no such table', pod: 'p', attempts: 2, error: { code: 'ContainerFailed', message: 'exit code 3' } };

test('waits for its pods, asks for the same ones in every life, and puts out what they gave back', async () => {
  const { result, batches } = await lives({
    parameters: { image: 'busybox', args: ['echo', '={{ $json.word }}'], env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
    items: [{ word: 'one' }, { word: 'two' }], results: [undefined, undefined, [done({ n: 1 }), done('two')]],
  });
  expect(batches[0]).toMatchObject({ node: 'Pod', requests: [{ item: 0, spec: { image: 'busybox', args: ['echo', 'one'] } }, { item: 1, spec: { args: ['echo', 'two'] } }] });
  expect(batches[0]?.requests[0]?.id).toMatch(/^[0-9a-f]{20}$/);
  expect(new Set(batches.map((batch) => JSON.stringify(batch))).size).toBe(1);
  expect(result).toMatchObject({ status: 'Succeeded', runs: [{}, { outputs: [[{ json: { exitCode: 0, result: { n: 1 }, log: 'hello' }, pairedItem: { item: 0 } }, { json: { result: 'two' }, pairedItem: { item: 1 } }]] }] });
});

test('the execution waits for pods, which no call can end', async () => {
  const { result, host } = await lives({});
  expect(result).toMatchObject({ status: 'Waiting', wait: { node: 'Pod', on: 'pods' } });
  expect(host.checkpoints.at(-1)).toMatchObject({ waiting: { node: 'Pod', runIndex: 0, wait: { on: 'pods' } } });
});

test('a pod that failed fails the node once, whatever its retry says, with the end of the log', async () => {
  const { result, batches } = await lives({ node: { retry: { maxTries: 3, wait: '2s', backoff: 'Exponential' } }, results: [[failed]] });
  expect(result).toMatchObject({ status: 'Failed', error: { code: 'ContainerFailed', message: 'exit code 3', description: 'no such table', node: 'Pod', itemIndex: 0 } });
  expect(batches).toHaveLength(1);
  expect(batches[0]?.requests[0]?.spec['retries']).toEqual({ max: 2, waitMs: 2000, exponential: true });
});

test('with onError the items that succeeded go on', async () => {
  const { result } = await lives({ items: [{}, {}], node: { onError: 'ErrorOutput' }, results: [[done(1), failed]] });
  expect(result).toMatchObject({ status: 'Succeeded', runs: [{}, { outputs: [[{ json: { result: 1 } }], [{ json: { error: 'exit code 3', exitCode: 3, log: 'no such table' } }]] }] });
});

test('too many items are refused before a pod is asked for', async () => {
  const { result, batches } = await lives({ items: Array.from({ length: 1001 }, () => ({})) });
  expect(result.error).toMatchObject({ code: 'TooManyPods' });
  expect(batches).toHaveLength(0);
});

test('without a cluster there are no containers', async () => {
  const host = testHost();
  const workflow = { id: 'l', name: 'l', nodes: [{ name: 'Start', type: 'manualTrigger' }, { name: 'Pod', type: 'container', parameters: { image: 'x' } }], connections: [{ from: 'Start', output: 0, to: 'Pod', input: 0, type: 'main' }] };
  expect((await execute({ executionId: 'e', mode: 'Manual', workflow, start: { node: 'Start', items: [{ json: {} }] } }, host, nodeTypes)).error).toMatchObject({ code: 'ContainersUnavailable' });
});

const FILE = { id: '8b0d4cbb-2b0f-4c1c-9b5c-5d4f3f0f3a11', size: 3, sha256: 'a'.repeat(64), mimeType: 'text/csv', fileName: 'a.csv' };

test('files of the item and texts go along, by what the store knows of them', async () => {
  const { batches } = await lives({
    binary: { data: FILE }, items: [{ word: 'hi' }],
    parameters: { image: 'busybox', artifacts: { in: [
      { binaryProperty: 'data', path: '/in/={{ $json.word }}.csv', mode: 0o600 }, { raw: '={{ $json.word }}', path: '/in/word' }, { raw: { a: 1 }, path: '/in/a.json' },
      { binaryProperty: 'other', path: '/in/other', optional: true },
    ] } },
  });
  expect(batches[0]?.requests[0]?.spec['artifacts']).toEqual({ in: [
    { path: '/in/={{ $json.word }}.csv', mode: 0o600, file: { id: FILE.id, size: 3, sha256: FILE.sha256 } }, { path: '/in/word', raw: 'hi' }, { path: '/in/a.json', raw: '{"a":1}' },
  ] });
});

test.each<{ name: string; artifacts: JsonObject; code: string; message: string }>([
  { name: 'a file that the item lacks', artifacts: { in: [{ binaryProperty: 'other', path: '/in' }] }, code: 'BinaryMissing', message: "It has 'data'" },
  { name: 'a path from an expression that is none', artifacts: { in: [{ binaryProperty: 'data', path: '={{ $json.word }}' }] }, code: 'ContainerInvalid', message: 'artifacts.in.0.path' },
  { name: 'a file that only a runner may name', artifacts: { in: [{ path: '/in', unpack: '={{ $json.word }}', file: { id: FILE.id, size: 3, sha256: FILE.sha256 } }] }, code: 'ContainerInvalid', message: 'artifacts.in.0' },
])('$name fails the node before a pod is asked for', async ({ artifacts, code, message }) => {
  const { result, batches } = await lives({ binary: { data: FILE }, parameters: { image: 'busybox', artifacts } });
  expect(result.error).toMatchObject({ code, message: expect.stringContaining(message) });
  expect(batches).toEqual([]);
});

test.each<{ given: object; problem: string }>([
  { given: { path: 'in.csv', raw: '' }, problem: 'in.0.path: is not an absolute path' },
  { given: { path: '/', raw: '' }, problem: 'in.0.path: is not an absolute path' },
  { given: { path: '/in/../etc', raw: '' }, problem: 'in.0.path: is not an absolute path' },
  { given: { path: '/in//a', raw: '' }, problem: 'in.0.path: is not an absolute path' },
  { given: { path: '/in/', raw: '' }, problem: 'in.0.path: is not an absolute path' },
  { given: { path: '/a:b', raw: '' }, problem: 'in.0.path: is not an absolute path' },
  { given: { path: '/in' }, problem: 'in.0: needs one of binaryProperty and raw' },
  { given: { path: '/in', raw: 'x', unpack: true }, problem: 'in.0: has unpack' },
  { given: { path: '/in', binaryProperty: 'a', mode: 0o1777 }, problem: 'in.0.mode' },
  { given: { path: '/in', binaryProperty: 'a', from: 'b' }, problem: 'in.0' },
])('$given is no artifact', ({ given, problem }) => {
  expect(containerProblems({ artifacts: { in: [given] } })).toEqual([{ parameter: 'artifacts', message: expect.stringContaining(problem) }]);
});

test.each<{ given: object[]; problem: string }>([
  { given: [{ path: '/result', binaryProperty: 'a' }], problem: 'out.0: lies in the root directory' },
  { given: [{ path: '/out/a' }], problem: 'out.0.binaryProperty' },
  { given: [{ path: '/out/a', binaryProperty: 'a' }, { path: '/out/b', binaryProperty: 'a' }], problem: 'out: has a binaryProperty twice' },
  { given: [{ path: '/out/a', binaryProperty: 'a', mimeType: 'csv' }], problem: 'out.0.mimeType: is not a media type' },
])('$given cannot come out', ({ given, problem }) => {
  expect(containerProblems({ artifacts: { out: given } })).toEqual([{ parameter: 'artifacts', message: expect.stringContaining(problem) }]);
});

test('what a pod gave are files of its item, also beside an error', async () => {
  const parameters = { image: 'busybox', artifacts: { out: [{ path: '/out', binaryProperty: 'all', pack: true }] } };
  const { result, batches } = await lives({ parameters, items: [{}, {}], node: { onError: 'ErrorOutput' }, results: [[{ ...done(1), files: { all: FILE } }, { ...failed, files: { all: FILE } }]] });
  expect(batches[0]?.requests[0]?.spec['artifacts']).toEqual(parameters.artifacts);
  expect(result).toMatchObject({ runs: [{}, { outputs: [[{ json: { result: 1 }, binary: { all: FILE } }], [{ json: { error: 'exit code 3' }, binary: { all: FILE } }]] }] });
  expect(JSON.stringify(result.runs[1]?.outputs[0]?.[0]?.json)).not.toContain('files');
});

test('good artifacts are no problem, two at one place are', () => {
  const one = { path: '/in/.hidden/..a/b', raw: '' };
  expect(containerProblems({ artifacts: { in: [one, { path: '/etc/passwd', binaryProperty: 'p' }] } })).toEqual([]);
  expect(containerProblems({ artifacts: { in: [one, one] } })).toEqual([{ parameter: 'artifacts', message: 'in: has a path twice' }]);
});

test.each<{ given: JsonObject; problem: string }>([
  { given: { image: 'x', volumeMounts: [{ name: 'millrace-token', mountPath: '/t' }] }, problem: 'volumeMounts.0.name: begins with millrace-' },
  { given: {}, problem: 'image' },
  { given: { image: 'a b' }, problem: 'image: is not an image' },
  { given: { image: 'x', args: 'ls' }, problem: 'args' },
  { given: { image: 'x', env: [{ name: 'A=B' }] }, problem: 'env.0.name: is not the name' },
  { given: { image: 'x', env: [{ name: 'A', value: '1', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }, problem: 'env.0: has value and valueFrom' },
  { given: { image: 'x', env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }] }, problem: 'env.0.valueFrom' },
  { given: { image: 'x', volumes: [{ name: 'v', hostPath: { path: '/' } }] }, problem: 'volumes.0' },
  { given: { image: 'x', volumes: [{ name: 'v' }] }, problem: 'volumes.0: needs one of' },
  { given: { image: 'x', runAsUser: 0 }, problem: 'runAsUser' },
  { given: { image: 'x', privileged: true }, problem: 'privileged' },
  { given: { image: 'x', hostNetwork: true }, problem: 'hostNetwork' },
  { given: { image: 'x', resources: { limits: { memory: 'much' } } }, problem: 'resources.limits.memory: is not a quantity' },
  { given: { image: 'x', args: ['a\u0000b'] }, problem: 'args.0: holds U+0000' },
])('$given is refused: $problem', ({ given, problem }) => {
  expect(JSON.stringify(readContainerSpec(given))).toContain(problem);
});

test('what is written is checked before anything runs, expressions are not', () => {
  expect(containerProblems({ image: '={{ $json.image }}', args: ['a', '={{ $json.b }}'], runAsUser: 1000, workingDir: '' })).toEqual([]);
  expect(containerProblems({ image: 'x', hostNetwork: true, runAsUser: 0, volumes: [{ name: 'v', hostPath: {} }], env: [{ name: 'A', value: '=1' }, { name: 'A=B' }] }).map(({ parameter }) => parameter)).toEqual(['hostNetwork', 'runAsUser', 'volumes']);
});
