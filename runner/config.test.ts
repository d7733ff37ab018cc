import { describe, expect, test } from '@jest/globals';
import { runnerConfig } from './config.ts';

const url = 'postgres://db/millrace';

describe('runnerConfig', () => {
  test('takes defaults for all but the database', () => {
    const config = runnerConfig({ MILLRACE_DATABASE_URL: url, POD_NAME: 'runner-1' });
    expect(config).toMatchObject({ databaseUrl: url, pool: 'default', leaseMs: 8000, port: 8080, variables: {} });
    expect(config.runner).toMatch(/^runner-1\/[0-9a-f]{8}$/);
  });

  test('two processes of one pod never share a name', () => {
    const env = { MILLRACE_DATABASE_URL: url, POD_NAME: 'runner-1' };
    expect(runnerConfig(env).runner).not.toBe(runnerConfig(env).runner);
  });

  test('variables come from their prefix', () => {
    expect(runnerConfig({ MILLRACE_DATABASE_URL: url, MILLRACE_VAR_region: 'eu', MILLRACE_POOL: 'big' }).variables).toEqual({ region: 'eu' });
  });

  test.each([
    [{}, 'MILLRACE_DATABASE_URL'],
    [{ MILLRACE_DATABASE_URL: url, MILLRACE_EXECUTORS: 'two' }, 'MILLRACE_EXECUTORS'],
    [{ MILLRACE_DATABASE_URL: url, MILLRACE_LEASE_MS: '-1' }, 'MILLRACE_LEASE_MS'],
  ])('%j names the variable that is wrong', (env, name) => {
    expect(() => runnerConfig(env)).toThrow(name);
  });
});
