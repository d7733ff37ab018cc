import { readFile, readdir, readlink } from 'node:fs/promises';

/** One process as the host sees it. */
export interface ProcessEntry {
  readonly pid: number;
  /** Arguments, the command first. */
  readonly argv: readonly string[];
}

/** Reads a file of /proc; undefined when the process has ended. */
async function readProc(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/**
 * When the process started, in clock ticks since boot, which tells a process from a later one of the same id.
 * Undefined when there is no such process or it has ended and only waits to be reaped.
 */
export async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readProc(`/proc/${String(pid)}/stat`);
  // The command stands in parentheses and may hold any character; what follows the last one is fixed.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

/** Ids of the processes that `pid` started and that still run. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readProc(`/proc/${String(pid)}/task/${String(pid)}/children`);
  return (text ?? '').trim().split(' ').filter((id) => id !== '').map(Number);
}

const namespaceOf = (id: string): Promise<string | undefined> => readlink(`/proc/${id}/ns/pid`).catch(() => undefined);

/** All live processes in the pid namespace of `pid`, itself included, but not those in namespaces below it. */
export async function processesBeside(pid: number): Promise<ProcessEntry[]> {
  const wanted = await namespaceOf(String(pid));
  return wanted === undefined ? [] : processesWhere(async (id) => (await namespaceOf(id)) === wanted);
}

/** All live processes in the containers of a pod, by the pod's uid. */
export async function processesOfPod(uid: string): Promise<ProcessEntry[]> {
  return processesWhere(async (id) => (await readProc(`/proc/${id}/cgroup`))?.includes(`/pod${uid}/`) === true);
}

async function processesWhere(matches: (id: string) => Promise<boolean>): Promise<ProcessEntry[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const entries = await Promise.all(
    ids.map(async (id) => {
      if (!(await matches(id))) return undefined;
      const argv = (await readProc(`/proc/${id}/cmdline`))?.split('\0').slice(0, -1) ?? [];
      return argv.length === 0 ? undefined : { pid: Number(id), argv };
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}
