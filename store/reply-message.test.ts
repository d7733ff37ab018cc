import { expect, test } from '@jest/globals';
import { parseReplyMessage, replyMessage } from './reply-message.ts';

const reply = { executionId: 'e-1', status: 'Succeeded' as const, response: { statusCode: 200, headers: { a: 'b,c:d' }, body: { text: 'größer, 1:2' } }, lastNode: 'Answer' };

test('a small reply comes along, in one word that can be listed with others', () => {
  const message = replyMessage('e-1', reply as never);
  expect(message).toMatch(/^e-1:[\w-]+$/);
  expect(parseReplyMessage(message)).toEqual({ id: 'e-1', reply });
});

test.each([
  { name: 'unknown', reply: undefined },
  { name: 'large', reply: { ...reply, lastNode: 'x'.repeat(2000) } },
])('a reply that is $name is left to be read', ({ reply: of }) => {
  expect(replyMessage('e-1', of as never)).toBe('e-1');
  expect(parseReplyMessage('e-1')).toEqual({ id: 'e-1' });
});
