import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { migrate, openStore, type Store } from '../../store/store.ts';
import { freePort } from '../cluster/free-port.ts';
import { startEffectServer, type EffectServer } from '../doubles/effect-server.ts';
import { until } from '../eventually.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';
import { startStandby } from '../postgres/standby.ts';
import { processTree } from './memory-of.ts';
import { NAMESPACE, soakWorkflows } from './soak-workflows.ts';

const root = join(import.meta.dirname, '../..');

/** What a process holds: a leak of any of them grows for as long as it lives. */
export interface Holdings {
  /** Megabytes, of the process and those below it. */
  rss: number;
  /** Megabytes of JavaScript objects in the process itself. */
  heap: number;
  sockets: number;
}

/** A role as in a pod: with everything below it, it can be killed as when its node loses power. */
export interface Process {
  kill(): Promise<void>;
  terminate(): Promise<void>;
  holdings(): Promise<Holdings>;
}

export interface SoakSystem {
  readonly postgres: Postgres;
  /** Kills PostgreSQL for good and lets its synchronous standby take over. */
  failOver(): Promise<void>;
  readonly store: Store;
  readonly effects: EffectServer;
  /** The addresses at which the api answers, whichever of its processes live. */
  readonly urls: readonly string[];
  startApi(index: number): Promise<Process>;
  startRunner(index: number): Promise<Process>;
}

/** PostgreSQL with a standby, the counting double and the workflows; its user starts the processes. All of it is gone when the stack is disposed. */
export async function startSoakSystem(stack: AsyncDisposableStack, apis: number): Promise<SoakSystem> {
  // Every commit waits for the standby, which by default looks only every five seconds whether a restarted primary is back.
  const postgres = stack.adopt(await startPostgres({ settings: { wal_retrieve_retry_interval: '500ms' } }), (each) => each.stop());
  const standby = stack.adopt(await startStandby(postgres), (each) => each.stop());
  const effects = stack.adopt(await startEffectServer(), (each) => each.close());
  const url = (await postgres.database()).replace(`:${postgres.port}/`, `:${postgres.port},127.0.0.1:${standby.port}/`);
  await migrate({ url, applicationName: 'soak' });
  const store = stack.adopt(await openStore({ url, applicationName: 'soak' }), (each) => each.close());
  for (const definition of soakWorkflows(effects.url)) await publish(store, definition);
  const directory = stack.adopt(await mkdtemp(join(tmpdir(), 'millrace-soak-')), (path) => rm(path, { recursive: true, force: true }));
  await writeFile(join(directory, 'kubeconfig'), unusedCluster);
  const ports = await Promise.all(Array.from({ length: apis }, () => freePort()));
  const shared = { MILLRACE_DATABASE_URL: url, MILLRACE_LOG_LEVEL: 'error' };
  const start = async (entry: string, env: Record<string, string>): Promise<Process> => stack.adopt(await startProcess(entry, { ...shared, ...env }), (each) => each.kill());
  return {
    postgres, store, effects,
    async failOver() {
      await postgres.kill();
      await standby.promote();
    },
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    startApi: (index) => start('api/main.ts', { MILLRACE_PORT: String(ports[index]), POD_NAME: `api-${index}`, KUBECONFIG: join(directory, 'kubeconfig') }),
    startRunner: (index) => start('runner/main.ts', { MILLRACE_EXECUTORS: '1', POD_NAME: `runner-${index}` }),
  };
}

/** Webhooks ask no API server; the api only wants to know where one would be. */
const unusedCluster = JSON.stringify({
  apiVersion: 'v1', kind: 'Config', 'current-context': 'none',
  clusters: [{ name: 'none', cluster: { server: 'https://127.0.0.1:1' } }], users: [{ name: 'none', user: {} }], contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
});

/** What the operator does for an active Workflow. */
async function publish(store: Store, definition: WorkflowDefinition): Promise<void> {
  const key = { namespace: NAMESPACE, workflow: definition.name, uid: definition.name };
  const { revision } = await store.revisions.put({ ...key, definition });
  const hooks = definition.nodes.filter(({ type }) => type === 'webhook');
  await store.routes.apply({
    ...key, active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' },
    triggers: hooks.map(({ name }) => ({ kind: 'Webhook', node: name, method: 'POST', path: definition.name, responseMode: 'onReceived', options: {} })),
  });
}

async function startProcess(entry: string, env: Record<string, string>): Promise<Process> {
  const health = await freePort();
  const child = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, join(root, entry)], {
    env: { PATH: process.env['PATH'] ?? '', MILLRACE_HEALTH_PORT: String(health), ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output = (output + chunk.toString()).slice(-5000); });
  const ended = once(child, 'exit');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${entry} could not be started`);
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!isGone()) process.kill(signal === 'SIGKILL' ? -pid : pid, signal);
    await ended;
  };
  const ask = async (path: string): Promise<Response> => fetch(`http://127.0.0.1:${health}${path}`);
  // Not when the database is away: a process that is started then is ready as soon as it is back.
  await until(async () => {
    if (isGone()) return true;
    return (await ask('/readyz')).ok;
  }, { withinMs: 120_000 });
  if (isGone()) throw new Error(`${entry} ended:\n${output}`);
  return {
    kill: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    async holdings() {
      const metrics = await (await ask('/metrics')).text();
      const tree = processTree(pid);
      const rss = await Promise.all(tree.map(async (each) => Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${each}/status`, 'utf8').catch(() => ''))?.[1] ?? 0)));
      return { rss: rss.reduce((sum, kib) => sum + kib / 1024, 0), heap: Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(metrics)?.[1]) / 2 ** 20, sockets: await socketsOf(pid) };
    },
  };
}

async function socketsOf(pid: number): Promise<number> {
  const open = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return targets.filter((target) => target.startsWith('socket:')).length;
}
