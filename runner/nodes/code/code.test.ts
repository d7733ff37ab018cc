import { expect, test } from '@jest/globals';
import { WorkflowError } from '../../engine/error.ts';
import { runNode } from '../testing/run-node.ts';

const returning = (value: unknown) => async (): Promise<unknown> => value;

test.each([
  ['a list of objects', [{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 2 }]], ['one object', { a: 1 }, [{ a: 1 }]], ['items', [{ json: { a: 1 } }], [{ a: 1 }]],
  ['null', null, []], ['values JSON does not know', [{ d: new Date(0), n: Number.NaN }], [{ d: '1970-01-01T00:00:00.000Z', n: null }]],
])('takes %s', async (_, returned, want) => {
  expect((await runNode({ type: 'code', version: 2, items: [{}, {}], runCode: returning(returned) })).json).toEqual([want]);
});

test.each([['undefined', undefined], ['a number', 5], ['a list of numbers', [1]], ['an unknown key', [{ json: {}, extra: 1 }]], ['text as json', [{ json: 'x' }]]])(
  'refuses %s', async (_, returned) => expect((await runNode({ type: 'code', version: 2, runCode: returning(returned) })).error).toMatchObject({ code: 'CodeOutput', node: 'Node' }));

test('keeps links, and stores files given as base64', async () => {
  const returned = [{ json: {}, pairedItem: 1, binary: { f: { data: Buffer.from('hey').toString('base64'), mimeType: 'text/plain', fileName: 'hey.txt' } } }];
  const { outputs, host } = await runNode({ type: 'code', version: 2, items: [{}, {}, {}], runCode: returning(returned) });
  const item = outputs[0]?.[0];
  expect(item).toMatchObject({ pairedItem: { item: 1 }, binary: { f: { mimeType: 'text/plain', fileName: 'hey.txt', size: 3 } } });
  const file = item?.binary?.f;
  expect(file && Buffer.from(await host.binaries.get(file)).toString()).toBe('hey');
});

test('runs per item, drops null, and makes an error item of what fails', async () => {
  const { json, outputs } = await runNode({
    type: 'code', version: 2, items: [{ v: 0 }, { v: 1 }, { v: 2 }], parameters: { mode: 'runOnceForEachItem', jsCode: 'x' }, onError: 'Continue',
    runCode: async ({ itemIndex }) => {
      if (itemIndex === 1) throw new WorkflowError('CodeFailed', 'boom');
      return itemIndex === 2 ? null : { ok: itemIndex };
    },
  });
  expect(json).toEqual([[{ ok: 0 }, { error: 'boom' }]]);
  expect(outputs[0]?.[1]?.pairedItem).toEqual({ item: 1 });
});

test('hands source and language on as they are written', async () => {
  const seen: unknown[] = [];
  const runCode = async (request: { language: string; source: string; mode: string }): Promise<unknown> => {
    seen.push([request.language, request.source, request.mode]);
    return [];
  };
  await runNode({ type: 'code', version: 2, parameters: { jsCode: '={{ not an expression }}' }, runCode });
  await runNode({ type: 'code', version: 2, parameters: { language: 'python', pythonCode: 'return []' }, runCode });
  await runNode({ type: 'function', version: 1, parameters: { functionCode: 'return items;' }, runCode });
  expect(seen).toEqual([['javaScript', '={{ not an expression }}', 'all'], ['python', 'return []', 'all'], ['javaScript', 'return items;', 'all']]);
});
