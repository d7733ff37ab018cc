import { expect, test } from '@jest/globals';
import { createLog } from './log.ts';

test('no secret reaches the log', () => {
  const lines: string[] = [];
  const log = createLog({ role: 'api', level: 'debug', pod: 'api-0' }, { write: (line) => lines.push(line) });
  const failure = Object.assign(new Error('query failed', { cause: new Error('inner') }), { code: '22P02', detail: 's3cret', query: { values: ['s3cret'] } });
  log.info({ authorization: 's3cret', request: { headers: { authorization: 's3cret', cookie: 's3cret', 'millrace-token': 's3cret' } } }, 'Answered');
  log.error({ err: failure, token: 's3cret', pool: { password: 's3cret', connectionString: 's3cret' } }, 'Failed');
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toContain('s3cret');
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ role: 'api', pod: 'api-0', err: { message: 'query failed', code: '22P02', cause: { message: 'inner' } } });
});
