import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { tellsCoverage } from '../../../test/process-coverage.ts';

/** Runs a script of this folder or a neighbouring one in a process of its own and gives what it printed, as JSON. */
export async function inChild<T>(script: URL, options: { input?: unknown; env?: Record<string, string> } = {}): Promise<T> {
  const child = spawn(process.execPath, [fileURLToPath(script)], { env: { ...tellsCoverage(), ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify(options.input ?? null));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    return JSON.parse(stdout) as T;
  } catch {
    throw new Error(`The process gave no answer: ${stdout}${stderr}`);
  }
}
