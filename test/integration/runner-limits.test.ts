import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { WorkflowNode } from '../../runner/engine/workflow.ts';
import { pdf } from '../../runner/pdf/testing/pdf-file.ts';
import { hasCode } from '../cluster/error-code.ts';
import { until } from '../eventually.ts';
import { chain, code, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';

jest.setTimeout(300_000);

let world: RunnerFixture;
beforeAll(async () => { world = await startRunnerFixture(); }, 180_000);
afterEach(async () => world.killRunners());
afterAll(async () => world.stop());

const MIB = 2 ** 20;

/** Memory of a runner and all its processes as a container is charged for it: what they share counts once. */
function chargedBytes(group: number): number {
  const own = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && groupOf(name) === group);
  return own.reduce((sum, pid) => sum + pssOf(pid), 0);
}

function groupOf(pid: string): number | undefined {
  const stat = readProcess(pid, 'stat');
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

function pssOf(pid: string): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readProcess(pid, 'smaps_rollup') ?? '')?.[1] ?? 0) * 1024;
}

/** Undefined when the process has ended meanwhile. */
function readProcess(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return undefined;
    throw error;
  }
}

describe('a runner in 512 MiB', () => {
  const rows = code('Rows', 'return Array.from({ length: 100_000 }, (_, n) => ({ json: { id: n, name: `customer ${n}`, total: n * 1.5 } }));');
  const set: WorkflowNode = { name: 'Set', type: 'set', typeVersion: 3.4, parameters: { assignments: { assignments: [{ id: '1', name: 'twice', type: 'number', value: '={{ $json.total * 2 }}' }] }, includeOtherFields: true } };
  const loop: WorkflowNode = { name: 'Loop', type: 'splitInBatches', typeVersion: 3, parameters: {} };
  const body: WorkflowNode = { name: 'Body', type: 'noOp' };
  const loads = [
    { name: '100,000 items through three nodes', definition: chain('many-items', [rows, set, code('Sum', 'return [{ json: { n: items.length, last: items.at(-1).json.twice } }];')]), last: 'Sum', want: [{ n: 100_000, last: 299_997 }], runs: 4 },
    {
      name: 'a loop of 100,000 node runs',
      definition: {
        ...chain('many-runs', []),
        nodes: [{ name: 'Start', type: 'manualTrigger' }, code('Rows', 'return Array.from({ length: 50_000 }, (_, n) => ({ json: { n } }));'), loop, body, code('Done', 'return [{ json: { n: items.length } }];')],
        connections: [['Start', 0, 'Rows'], ['Rows', 0, 'Loop'], ['Loop', 0, 'Done'], ['Loop', 1, 'Body'], ['Body', 0, 'Loop']].map(([from, output, to]) => ({ from: String(from), output: Number(output), to: String(to), input: 0, type: 'main' })),
      },
      last: 'Done', want: [{ n: 50_000 }], runs: 100_004,
    },
  ];
  test.each(loads)('runs $name', async ({ definition, last, want, runs }) => {
    const runner = await world.runner({ MILLRACE_EXECUTORS: '1', MILLRACE_EXECUTOR_MEMORY_MB: '320' });
    let peak = 0;
    const watch = setInterval(() => { peak = Math.max(peak, chargedBytes(runner.pid)); }, 50);
    const id = await world.submit(await world.deploy(definition));
    const end = await world.ended(id);
    clearInterval(watch);
    console.log(`${definition.name}: at most ${Math.round(peak / MIB)} MiB`);
    expect(end).toMatchObject({ status: 'Succeeded', lastNode: last, counts: { succeeded: runs }, attempts: 1 });
    expect(await world.jsonOf(id, last)).toEqual(want);
    expect(peak).toBeLessThan(512 * MIB);
  });
});

test('told to stop it hands an execution back at the next node boundary, with what is finished', async () => {
  const effect = (name: string): WorkflowNode => ({ name, type: 'httpRequest', parameters: { method: 'POST', url: `${world.effects.url}/boundary/${name}` } });
  const workflow = await world.deploy(chain('boundary', [effect('first'), effect('second'), effect('third')]));
  world.effects.hold('/boundary/second');
  const first = await world.runner({ MILLRACE_GRACE_MS: '30000' });
  const id = await world.submit(workflow);
  await until(() => world.effects.requests('/boundary/second').length === 1);
  const stopped = first.terminate();
  await until(() => first.output().includes('Asked executions to stop at a node boundary'));
  world.effects.release('/boundary/second');
  expect(await stopped).toBe(0);
  expect(world.effects.requests('/boundary/third')).toHaveLength(0);
  await world.runner();
  expect(await world.ended(id)).toMatchObject({ status: 'Succeeded', crashes: 0, attempts: 2 });
  expect(['first', 'second', 'third'].map((name) => world.effects.requests(`/boundary/${name}`).length)).toEqual([1, 1, 1]);
});

test('PDFs are read beside the executors, and those that cannot be harm nobody', async () => {
  const extract: WorkflowNode = { name: 'Read', type: 'extractFromFile', typeVersion: 1, parameters: { operation: 'pdf' }, onError: 'Continue' };
  const files = [pdf('Hello PDF'), Buffer.from('no pdf')].map((file) => file.toString('base64'));
  const toFile: WorkflowNode = { name: 'File', type: 'convertToFile', typeVersion: 1.1, parameters: { operation: 'toBinary', sourceProperty: 'file', options: { fileName: 'a.pdf' } } };
  const workflow = await world.deploy(chain('pdf', [code('Files', `return ${JSON.stringify(files.map((file) => ({ json: { file } })))};`), toFile, extract]));
  await world.runner();
  const id = await world.submit(workflow);
  expect((await world.ended(id)).status).toBe('Succeeded');
  expect(await world.jsonOf(id, 'Read')).toMatchObject([{ numpages: 1, text: 'Hello PDF' }, { error: expect.stringContaining('could not be read') }]);
});

test('the first Python of an executor does not look like a stall', async () => {
  const python: WorkflowNode = { name: 'Python', type: 'code', parameters: { language: 'python', pythonCode: 'return [{"json": {"n": sum(range(5))}}]' } };
  const workflow = await world.deploy(chain('python', [python]));
  const runner = await world.runner({ MILLRACE_STALL_MS: '2000', MILLRACE_EXECUTORS: '1' });
  const id = await world.submit(workflow);
  expect(await world.ended(id)).toMatchObject({ status: 'Succeeded', attempts: 1 });
  expect(await world.jsonOf(id, 'Python')).toEqual([{ n: 10 }]);
  expect(runner.output()).not.toContain('Lost an executor');
});
