import { expect, test } from '@jest/globals';
import { DatabaseError } from 'pg';
import { breaksConnection, toStoreError } from './database-error.ts';
import { StoreError } from './error.ts';

function sqlState(code: string, severity = 'ERROR'): DatabaseError {
  const error = new DatabaseError('relation "secret" does not exist', 0, 'error');
  error.code = code;
  error.severity = severity;
  return error;
}

test.each([
  { error: sqlState('57P01', 'FATAL'), code: 'StoreUnavailable', breaks: true },
  { error: sqlState('08006', 'FATAL'), code: 'StoreUnavailable', breaks: true },
  { error: sqlState('53300', 'FATAL'), code: 'StoreUnavailable', breaks: true },
  { error: sqlState('25006'), code: 'StoreUnavailable', breaks: true },
  { error: sqlState('40P01'), code: 'StoreUnavailable', breaks: false },
  { error: sqlState('57014'), code: 'StoreTimeout', breaks: false },
  { error: sqlState('22021'), code: 'PayloadRefused', breaks: false },
  { error: sqlState('42P01'), code: 'StoreFailed', breaks: false },
  { error: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), code: 'StoreUnavailable', breaks: true },
  { error: new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), Object.assign(new Error('y'), { code: 'ENETUNREACH' })]), code: 'StoreUnavailable', breaks: true },
  { error: new Error('Connection terminated unexpectedly'), code: 'StoreUnavailable', breaks: true },
  { error: new Error('Query read timeout'), code: 'StoreUnavailable', breaks: true },
  { error: new TypeError('oops'), code: 'StoreFailed', breaks: true },
  { error: undefined, code: 'StoreFailed', breaks: true },
])('$error.code $error.message is $code', ({ error, code, breaks }) => {
  const storeError = toStoreError(error);
  expect([storeError.code, storeError.transient]).toEqual([code, code === 'StoreUnavailable' || code === 'StoreTimeout']);
  expect(breaksConnection(error)).toBe(breaks);
  expect(storeError.message).not.toContain('secret');
});

test('an error of the store stays as it is', () => {
  const error = new StoreError('SchemaOutdated', 'migrate');
  expect(toStoreError(error)).toBe(error);
});
