import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../cluster/free-port.ts';
import { until } from '../eventually.ts';

const ENTRY = join(import.meta.dirname, '../../runner/main.ts');

/** A real runner in a process of its own, as in a pod. */
export interface RunnerProcess {
  readonly pid: number;
  /** Everything it logged so far. */
  output(): string;
  /** kill -9 of supervisor and executors, as when the node loses power. */
  kill(): Promise<void>;
  /** SIGTERM, as the kubelet does; resolves to the exit code. */
  terminate(): Promise<number | null>;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Where a runner runs. */
export interface RunnerPlace {
  /** A command that takes a command as its last arguments and becomes it, in other namespaces. */
  enter: readonly string[];
  /** Where its health server is reached. */
  address: string;
}

const HERE: RunnerPlace = { enter: [], address: '127.0.0.1' };

/** Resolves once the runner is ready for work. The process dies with this one. */
export async function startRunner(databaseUrl: string, env: Record<string, string> = {}, { enter, address }: RunnerPlace = HERE): Promise<RunnerProcess> {
  const port = await freePort();
  const child = spawn('setpriv', ['--pdeathsig=KILL', '--', ...enter, process.execPath, ENTRY], {
    env: { PATH: process.env['PATH'], MILLRACE_DATABASE_URL: databaseUrl, MILLRACE_HEALTH_PORT: String(port), MILLRACE_EXECUTORS: '2', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const { pid } = child;
  if (pid === undefined) throw new Error('The runner did not start');
  const killGroup = (): void => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`The runner ended:\n${output}`);
    return (await fetch(`http://${address}:${port}/readyz`)).ok;
  }).catch((error: unknown) => {
    killGroup();
    throw new Error(`The runner did not become ready:\n${output}`, { cause: error });
  });
  return {
    pid,
    output: () => output,
    async kill() {
      killGroup();
      await ended(child);
    },
    async terminate() {
      child.kill('SIGTERM');
      return ended(child);
    },
  };
}
