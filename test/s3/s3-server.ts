import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from '../cluster/cache-dir.ts';
import { run } from '../cluster/command.ts';
import { withFileLock } from '../cluster/file-lock.ts';
import { freePort } from '../cluster/free-port.ts';
import { step } from '../cluster/progress.ts';
import { eventually } from '../eventually.ts';

/** A server that speaks S3 on loopback, with its data in a folder of its own; dead at the latest when this process is. It takes any credentials. */
export interface S3Server {
  readonly endpoint: string;
  /** The data stays. */
  kill(): Promise<void>;
  /** After `kill`: same data, same port. */
  start(): Promise<void>;
  /** Removes everything. */
  stop(): Promise<void>;
}

/** Path of `ministack`, installed from PyPI in the versions of requirements.txt into a Python environment of its own in the cache. Needs python3 with venv. */
async function ministack(): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const version = createHash('sha256').update(await readFile(requirements)).digest('hex').slice(0, 12);
  const dir = cacheDir(`ministack-${version}`);
  const program = join(dir, 'bin', 'ministack');
  return withFileLock(`${dir}.lock`, async () => {
    if (existsSync(join(dir, 'complete'))) return program;
    await step('Installing ministack', async () => {
      await rm(dir, { recursive: true, force: true });
      await run('python3', ['-m', 'venv', dir]);
      await run(join(dir, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:', '--requirement', requirements]);
      await run('touch', [join(dir, 'complete')]);
    });
    return program;
  });
}

export async function startS3(): Promise<S3Server> {
  const program = await ministack();
  const directory = await mkdtemp(join(tmpdir(), 'millrace-s3-'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const env = {
    PATH: process.env['PATH'], HOME: directory, TMPDIR: directory, BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port), SERVICES: 's3',
    S3_PERSIST: '1', S3_DATA_DIR: join(directory, 's3'), PERSIST_STATE: '1', STATE_DIR: join(directory, 'state'), LOG_LEVEL: 'ERROR',
  };
  let kill = async (): Promise<void> => undefined;

  async function start(): Promise<void> {
    const child = spawn('setpriv', ['--pdeathsig=KILL', '--', program], { env, stdio: 'ignore' });
    const exited = once(child, 'exit');
    kill = async () => {
      child.kill('SIGKILL');
      await exited;
    };
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error('ministack ended');
      if (!(await fetch(`${endpoint}/_localstack/health`)).ok) throw new Error('ministack is not ready');
    });
  }
  await start();
  return {
    endpoint, start,
    kill: () => kill(),
    async stop() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
