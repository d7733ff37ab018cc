import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '../..');

/** A role of the product as its own process, as in a pod. */
export interface Role {
  readonly pid: number;
  /** Asks it to stop and waits; kills it after 30 s. */
  stop(): Promise<void>;
}

/**
 * Starts `node ENTRY` with only these environment variables; resolves when `ready` does. Rejects with its output when it exits before. `entry` may have
 * flags of node before it.
 */
export async function startRole(entry: string | readonly string[], env: Record<string, string>, ready: (log: string) => boolean | Promise<boolean>): Promise<Role> {
  const args = typeof entry === 'string' ? [entry] : entry;
  // It dies with this process, however this one dies.
  const child = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, ...args], { cwd: root, env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output = (output + chunk.toString()).slice(-20_000); });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${args.join(' ')} could not be started`);
  while (!(await ready(output))) {
    if (child.exitCode !== null) throw new Error(`${args.join(' ')} exited with ${child.exitCode}:\n${output}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  return {
    pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await gone;
      clearTimeout(force);
    },
  };
}
