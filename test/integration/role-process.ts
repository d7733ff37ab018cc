import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../cluster/free-port.ts';
import { until } from '../eventually.ts';
import { tellsCoverage } from '../process-coverage.ts';

const root = join(import.meta.dirname, '../..');

/** A role of Millrace as a process of its own, as in a pod. */
export interface RoleProcess {
  readonly pid: number;
  readonly healthPort: number;
  /** Of the public port; 0 for roles without one. */
  readonly port: number;
  /** Everything it has logged so far. */
  output(): string;
  /** SIGTERM, as the kubelet does. */
  stop(): Promise<void>;
}

/** Resolves once /readyz answers `status`. The process dies with this one. */
export async function startRole(role: 'api' | 'runner' | 'operator' | 'webhooks', env: Readonly<Record<string, string>>, status = 200): Promise<RoleProcess> {
  const [healthPort, port] = [await freePort(), await freePort()];
  const child: ChildProcess = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, join(root, role, 'main.ts')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...tellsCoverage(), PATH: process.env['PATH'], MILLRACE_PORT: String(port), MILLRACE_HEALTH_PORT: String(healthPort), MILLRACE_WEBHOOK_PORT: String(port), ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => { output += text; });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${role} did not start`);
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${role} ended`);
    return (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status === status;
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${role} did not become ready:\n${output}`, { cause: error });
  });
  return {
    pid, healthPort, port,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
