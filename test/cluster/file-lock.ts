import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Runs `work` while holding an exclusive lock on `file`, so that two processes on this machine do not do it at once.
 * flock(1) holds the lock as long as its standard input is open: when this process dies, however it dies, the kernel
 * closes the pipe and the lock is free.
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; cat >/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  const first = await Promise.race([once(holder.stdout, 'data').then(() => 'locked'), ended.then(() => 'ended')]);
  if (first !== 'locked') throw new Error(`Could not lock ${file}: flock ended early`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
