import { expect, test } from '@jest/globals';
import { readConfig } from './config.ts';

const url = 'postgres://user:s3cret@db/millrace';

test('defaults', () => {
  expect(readConfig({ MILLRACE_DATABASE_URL: url }, 'api-0')).toMatchObject({ replica: 'api-0', baseUrl: undefined, port: 8080, healthPort: 8081, audiences: [], drainMs: 25_000, limits: { requestMs: 60_000 } });
});

test('what is set', () => {
  const env = { MILLRACE_DATABASE_URL: url, POD_NAME: 'api-1', MILLRACE_BASE_URL: 'https://flows.example/', MILLRACE_TOKEN_AUDIENCES: 'millrace, other,' };
  expect(readConfig(env, 'host')).toMatchObject({ replica: 'api-1', baseUrl: 'https://flows.example', audiences: ['millrace', 'other'] });
});

test.each([
  { name: 'MILLRACE_DATABASE_URL', env: {} },
  { name: 'MILLRACE_PORT', env: { MILLRACE_DATABASE_URL: url, MILLRACE_PORT: 'eighty' } },
  { name: 'MILLRACE_BASE_URL', env: { MILLRACE_DATABASE_URL: url, MILLRACE_BASE_URL: 'flows.example' } },
])('names $name when it is missing or wrong, without values', ({ name, env }) => {
  expect(() => readConfig(env, 'host')).toThrow(name);
  expect(() => readConfig(env, 'host')).not.toThrow('s3cret');
});
