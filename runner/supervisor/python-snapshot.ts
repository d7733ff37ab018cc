import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { WorkflowError } from '../engine/error.ts';

const ENTRY = join(import.meta.dirname, '../sandbox/python/snapshot-main.ts');
const SOURCE_ROOT = join(import.meta.dirname, '../..');
const BUILD_MS = 120_000;

/** The memory of a Python interpreter that has just started, compressed, made by a process of its own when it is first asked for. */
export class PythonSnapshot {
  #made: Promise<Uint8Array> | undefined;

  /** Rejects with PythonUnavailable; asking again tries again. */
  get(): Promise<Uint8Array> {
    if (this.#made) return this.#made;
    const making = build();
    making.catch(() => (this.#made = undefined));
    this.#made = making;
    return making;
  }
}

async function build(): Promise<Uint8Array> {
  const child = spawn(process.execPath, ['--permission', `--allow-fs-read=${SOURCE_ROOT}`, '--disable-warning=SecurityWarning', ENTRY], {
    env: {}, stdio: ['ignore', 'pipe', 'inherit'], timeout: BUILD_MS, killSignal: 'SIGKILL',
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [bytes, code] = await Promise.all([buffer(child.stdout), closed]);
  if (code === 0) return bytes;
  throw new WorkflowError('PythonUnavailable', 'The Python interpreter could not be started. See the log of the runner.');
}
