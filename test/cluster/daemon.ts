import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DaemonSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output and error are appended here. */
  readonly logFile: string;
}

/** A server process that lives no longer than this process. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  /** Kills it (default SIGKILL) and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Waits until `probe` answers true; throws with the end of the log when the process ends first or time is up. */
  waitUntil(probe: () => Promise<boolean>, timeoutMs: number): Promise<void>;
}

/** Starts a server. The kernel kills it when this process ends in whatever way, so a crashed test leaves none behind. */
export async function startDaemon(spec: DaemonSpec): Promise<Daemon> {
  const log = await open(spec.logFile, 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', spec.command, ...spec.args], {
    env: { ...process.env, ...spec.env },
    stdio: ['ignore', log.fd, log.fd],
  });
  try {
    await once(child, 'spawn');
  } finally {
    await log.close();
  }
  return new ChildDaemon(spec, child);
}

class ChildDaemon implements Daemon {
  readonly name: string;
  readonly pid: number;
  private readonly logFile: string;
  private readonly child: ChildProcess;

  constructor(spec: DaemonSpec, child: ChildProcess) {
    if (child.pid === undefined) throw new Error(`${spec.name} has no process id`);
    this.name = spec.name;
    this.logFile = spec.logFile;
    this.child = child;
    this.pid = child.pid;
    // A server that is up must not keep a finished test process alive.
    child.unref();
  }

  private get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.ended) return;
    const closed = once(this.child, 'exit');
    this.child.ref();
    this.child.kill(signal);
    await closed;
  }

  async waitUntil(probe: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await probe())) {
      if (this.ended) throw new Error(`${this.name} ended with ${String(this.child.exitCode ?? this.child.signalCode)}\n${await this.logTail()}`);
      if (Date.now() > deadline) throw new Error(`${this.name} was not ready after ${String(timeoutMs)} ms\n${await this.logTail()}`);
      await sleep(50);
    }
  }

  private async logTail(): Promise<string> {
    return (await readFile(this.logFile, 'utf8')).split('\n').slice(-30).join('\n');
  }
}
