import { expect, test } from '@jest/globals';
import { durabilityGaps } from './durability.ts';
import { type Migration, pendingMigrations, readMigrations } from './migrate.ts';
import { channel, joinPayloads } from './notifications.ts';
import { claimedPath } from './routes.ts';

const migration = (number: number): Migration => ({ number, name: `m${number}`, sql: '', checksum: `c${number}`, breaking: false });
const applied = (number: number, change = {}) => ({ number, name: `m${number}`, checksum: `c${number}`, breaking: false, ...change });
const known = [migration(1), migration(2)];

test.each([
  { name: 'nothing applied', rows: [], want: ['m1', 'm2'] },
  { name: 'some applied', rows: [applied(1)], want: ['m2'] },
  { name: 'all applied', rows: [applied(1), applied(2)], want: [] },
  { name: 'more applied, compatible', rows: [applied(1), applied(2), applied(3)], want: [] },
  { name: 'more applied, breaking', rows: [applied(1), applied(2), applied(3, { breaking: true })], want: 'SchemaTooNew' },
  { name: 'another text', rows: [applied(1, { checksum: 'other' })], want: 'MigrationChanged' },
])('$name', ({ rows, want }) => {
  if (typeof want === 'string') expect(() => pendingMigrations(known, rows)).toThrow(expect.objectContaining({ code: want }));
  else expect(pendingMigrations(known, rows).map(({ name }) => name)).toEqual(want);
});

test('the migrations of the repository are numbered without a gap', async () => {
  expect((await readMigrations()).map(({ number }) => number)).toEqual((await readMigrations()).map((_, index) => index + 1));
});

const durable = { version: 180_004, fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' };

test.each([
  { change: {}, gaps: [] },
  { change: { synchronous_commit: 'remote_apply' }, gaps: [] },
  { change: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }, gaps: ['fsync', 'full_page_writes', 'synchronous_commit'] },
])('with $change these may forget work: $gaps', ({ change, gaps }) => {
  expect(durabilityGaps({ ...durable, ...change })).toEqual(gaps);
});

test('PostgreSQL 17 is refused', () => {
  expect(() => durabilityGaps({ ...durable, version: 170_006 })).toThrow(expect.objectContaining({ code: 'DatabaseTooOld' }));
});

test('names of channels fit, and differ when their pools do', () => {
  const long = 'p'.repeat(62);
  expect([`${long}a`, `${long}b`, 'default'].map((pool) => channel.work(pool).length <= 63)).toEqual([true, true, true]);
  expect(channel.work(`${long}a`)).not.toBe(channel.work(`${long}b`));
  expect(channel.reply('01901234-5678-7000-bfff-ffffffffffff').length).toBeLessThan(64);
});

test('ids go into payloads that PostgreSQL takes', () => {
  const ids = Array.from({ length: 500 }, (_, n) => `01901234-5678-7000-bfff-${String(n).padStart(12, '0')}`);
  const payloads = joinPayloads(ids);
  expect(payloads.every(({ length }) => length < 8000)).toBe(true);
  expect(payloads.flatMap((payload) => payload.split(','))).toEqual(ids);
  expect(joinPayloads([''])).toEqual(['']);
});

test.each([['orders', 'orders'], ['orders/:id', 'orders/:'], [':a/x/:b', ':/x/:'], ['', '']])('path %j is claimed as %j', (path, claimed) => {
  expect(claimedPath(path)).toBe(claimed);
});
