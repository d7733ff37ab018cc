import { expect, test } from '@jest/globals';
import { resumeTokens } from './resume-tokens.ts';

const tokens = resumeTokens(Buffer.alloc(32, 7));
const own = tokens.of('e1');

test('a token is stable and belongs to one execution and one key', () => {
  expect(own).toMatch(/^[0-9a-f]{32}$/);
  expect(tokens.of('e1')).toBe(own);
  expect(tokens.matches('e1', own)).toBe(true);
  expect(tokens.matches('e2', own)).toBe(false);
  expect(resumeTokens(Buffer.alloc(32, 8)).matches('e1', own)).toBe(false);
});

test.each(['', own.slice(1), `${own}0`, own.toUpperCase().replace(/^[0-9]*$/, 'A'.repeat(32)), 'é'.repeat(32), `${own.slice(0, 31)}g`])('%p is refused', (token) => {
  expect(tokens.matches('e1', token)).toBe(false);
});
