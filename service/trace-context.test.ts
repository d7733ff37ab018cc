import { expect, test } from '@jest/globals';
import { childOf, parseTraceparent, traceparentOf } from './trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

test.each([
  { name: 'recorded', header: `00-${traceId}-${spanId}-01`, want: { traceId, spanId, sampled: true } },
  { name: 'not recorded', header: `00-${traceId}-${spanId}-00`, want: { traceId, spanId, sampled: false } },
  { name: 'flags that are not known', header: `00-${traceId}-${spanId}-03`, want: { traceId, spanId, sampled: true } },
  { name: 'a later version with more', header: `01-${traceId}-${spanId}-01-what-comes`, want: { traceId, spanId, sampled: true } },
  { name: 'this version with more', header: `00-${traceId}-${spanId}-01-x`, want: undefined },
  { name: 'version ff', header: `ff-${traceId}-${spanId}-01`, want: undefined },
  { name: 'no trace', header: `00-${'0'.repeat(32)}-${spanId}-01`, want: undefined },
  { name: 'no span', header: `00-${traceId}-${'0'.repeat(16)}-01`, want: undefined },
  { name: 'capitals', header: `00-${traceId.toUpperCase()}-${spanId}-01`, want: undefined },
  { name: 'absent', header: undefined, want: undefined },
  { name: 'sent twice', header: ['a', 'b'], want: undefined },
])('traceparent: $name', ({ header, want }) => {
  expect(parseTraceparent(header)).toEqual(want);
});

test('a child stays in the trace, and its header can be read again', () => {
  const child = childOf({ traceId, spanId, sampled: true });
  expect(child).toMatchObject({ traceId, sampled: true });
  expect(child.spanId).not.toBe(spanId);
  expect(parseTraceparent(traceparentOf(child))).toEqual(child);
});
