import { expect, test } from '@jest/globals';
import { parseTraceparent, type SpanRecord, type TraceContext } from '../../service/trace-context.ts';
import { SpanRecorder } from './span-recorder.ts';

const root: TraceContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };

function start() {
  const sent: SpanRecord[] = [];
  let now = 1000;
  const recorder = new SpanRecorder(root, { now: () => (now += 1), send: (spans) => sent.push(...spans) });
  return { recorder, sent };
}

const run = (scope: string, node: string, runIndex = 0) => ({ scope, node, runIndex, type: 'set' });

test('nodes hang under their execution, sub-workflows under the run that called them', () => {
  const { recorder, sent } = start();
  const first = recorder.node(run('', 'Call', 0));
  const second = recorder.node(run('', 'Call', 1));
  const ended = recorder.workflow({ scope: '/1', executionId: 'e-1', workflow: 'shop/child', caller: run('', 'Call', 1) });
  const inner = recorder.node(run('/1', 'Keep'));
  inner.end({ code: 'NodeFailed', message: 'with data' });
  ended();
  second.end();
  first.end();
  recorder.close();
  const idOf = (headers: Readonly<Record<string, string>>) => parseTraceparent(headers['traceparent'])?.spanId;
  const workflow = sent.find(({ name }) => name === 'workflow shop/child');
  expect(sent.map(({ name, parentId }) => [name, parentId])).toEqual([
    ['Keep', workflow?.context.spanId], ['workflow shop/child', idOf(second.headers)], ['Call', root.spanId], ['Call', root.spanId],
  ]);
  expect(sent[0]).toMatchObject({ error: 'NodeFailed' });
  expect(JSON.stringify(sent)).not.toContain('with data');
});

test('what has no end when the execution is over ends with it', () => {
  const { recorder, sent } = start();
  recorder.node(run('', 'Stuck'));
  recorder.close();
  recorder.close();
  expect(sent).toMatchObject([{ name: 'Stuck', parentId: root.spanId }]);
});

test('an endless loop does not make endless spans', () => {
  const { recorder, sent } = start();
  for (let index = 0; index < 6000; index += 1) recorder.node(run('', 'Loop', index)).end();
  recorder.close();
  expect(sent).toHaveLength(5000);
});
