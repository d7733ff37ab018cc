import { readdirSync, readFileSync } from 'node:fs';

const BYTES_PER_KIB = 1024;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // The process or thread has ended meanwhile.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

function childrenOf(pid: number): number[] {
  const threads = read(`/proc/${pid}/stat`) === '' ? [] : readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' ').filter((text) => text !== '').map(Number));
}

/** A process and all below it. */
export function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

/** Bytes of memory that a process and all below it hold. What several share counts once, by parts (Linux's PSS). */
export function memoryOf(pid: number): number {
  const pages = processTree(pid).map((each) => Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${each}/smaps_rollup`))?.[1] ?? 0));
  return pages.reduce((sum, kib) => sum + kib * BYTES_PER_KIB, 0);
}

/** Bytes of memory that a process has held at most: its resident set, as the kernel counts it. */
export function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1]) * BYTES_PER_KIB;
}
