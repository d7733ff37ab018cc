import { readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;
/** Length of a clock tick as Linux shows it to programs, on every machine. */
const TICK_MS = 10;
/** Places of user and system time in `stat`, counted from behind the program's name. */
const [USER_TIME, SYSTEM_TIME] = [11, 12];

/** Resident memory of a process in bytes, array buffers included; 0 once it is gone. */
export function residentBytes(pid: number | undefined): number {
  return Number(read(pid, 'statm')?.split(' ')[1] ?? 0) * PAGE_BYTES;
}

/** CPU time that a process has used so far, all threads, in milliseconds; 0 once it is gone. */
export function cpuMs(pid: number | undefined): number {
  const stat = read(pid, 'stat') ?? '';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TIME] ?? 0) + Number(fields[SYSTEM_TIME] ?? 0)) * TICK_MS;
}

function read(pid: number | undefined, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
    throw error;
  }
}
