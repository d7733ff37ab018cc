import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { until } from '../../test/eventually.ts';
import { cpuMs, residentBytes } from './process-usage.ts';

test('tells what a process uses, and nothing of one that is gone', async () => {
  const child = spawn(process.execPath, ['-e', 'const end = Date.now() + 60_000; while (Date.now() < end);']);
  await until(() => cpuMs(child.pid) > 100 && residentBytes(child.pid) > 10 * 2 ** 20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect([cpuMs(child.pid), residentBytes(child.pid)]).toEqual([0, 0]);
});
