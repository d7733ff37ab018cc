import { expect, test } from '@jest/globals';
import { WorkflowError } from './error.ts';
import type { Item } from './item.ts';
import { Redaction } from './redaction.ts';

const redaction = new Redaction();
redaction.add({ user: 'shop', password: 'p@ss "word"', host: 'db.internal', json: '{"headers":{"X-Key":"inner-key"}}', port: 5432, short: 'abc', data: { deep: ['nested-secret'] } });

test.each([
  { name: 'as it is', text: 'password p@ss "word" refused', want: 'password [redacted] refused' },
  { name: 'in an address', text: `https://x/?key=${encodeURIComponent('p@ss "word"')}`, want: 'https://x/?key=[redacted]' },
  { name: 'in JSON', text: JSON.stringify({ sent: 'p@ss "word"' }), want: '{"sent":"[redacted]"}' },
  { name: 'as Basic', text: `Basic ${Buffer.from('shop:p@ss "word"').toString('base64')}`, want: 'Basic [redacted]' },
  { name: 'of JSON in a field', text: 'value inner-key of header', want: 'value [redacted] of header' },
  { name: 'of a deeper field', text: 'nested-secret', want: '[redacted]' },
  { name: 'only where there are some', text: 'shop at db.internal:5432 says abc', want: 'shop at db.internal:5432 says abc' },
])('takes secrets out of failures: $name', ({ text, want }) => {
  const clean = redaction.failure(new WorkflowError('HttpStatus', text, { description: text, itemIndex: 2 }));
  expect(clean).toMatchObject({ code: 'HttpStatus', message: want, details: { description: want, itemIndex: 2 } });
  expect(redaction.failure(new Error(text)).message).toBe(want);
});

test('takes secrets out of what failed items say, and leaves data alone', () => {
  const item = (): Item => ({ json: { kept: 'nested-secret', error: { message: 'nested-secret', list: ['nested-secret'] } }, error: { code: 'X', message: 'nested-secret' } });
  const { error: _, ...data } = item();
  const outputs = [null, [item(), data]];
  redaction.items(outputs);
  expect(outputs[1]?.[0]).toEqual({ json: { kept: 'nested-secret', error: { message: '[redacted]', list: ['[redacted]'] } }, error: { code: 'X', message: '[redacted]' } });
  expect(outputs[1]?.[1]).toEqual(data);
});
