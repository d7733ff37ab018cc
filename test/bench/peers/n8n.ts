import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../cluster/free-port.ts';
import { parseFlatted } from './flatted.ts';
import { installN8n } from './n8n-install.ts';

const READY_MS = 180_000;
const ENDED_MS = 300_000;
/** Only this machine can reach it, and only for the time of a bench. */
const OWNER = { email: 'bench@example.test', firstName: 'Bench', lastName: 'Bench', password: 'Benchmark-2026' };

/** A workflow as n8n exports them. */
export interface N8nWorkflow {
  name: string;
  nodes: readonly { type: string; parameters: object }[];
  connections: object;
  settings?: object;
}

/** How one execution went, as n8n itself keeps it. */
export interface N8nExecution {
  status: string;
  /** Milliseconds from its start to its end, by n8n's own clock: without HTTP and without what is stored afterwards. */
  durationMs: number;
  /** Milliseconds spent in each node, all its runs together. */
  nodeMs: Record<string, number>;
}

/** A real n8n in main mode, as a child process on loopback. */
export interface N8n {
  readonly url: string;
  readonly pid: number;
  /** Imports and activates a workflow, and calls its webhook until it is there, which executes it once. Resolves to its id and the URL of its webhook. */
  publish(workflow: N8nWorkflow): Promise<{ id: string; url: string }>;
  /** Waits until the newest execution of a workflow has ended and is stored. Rejects when it failed. */
  lastExecution(workflowId: string): Promise<N8nExecution>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface N8nOptions {
  /** `postgres://` URL of an empty database; absent: SQLite, n8n's default. */
  databaseUrl?: string;
  env?: Record<string, string>;
  progress(text: string): void;
}

/** Installs n8n if it is missing, starts it with an empty data folder and sets up its owner. It dies with this process. */
export async function startN8n({ databaseUrl, env = {}, progress }: N8nOptions): Promise<N8n> {
  const entry = await installN8n(progress);
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'millrace-n8n-')), (path) => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  const [port, brokerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const child = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, entry, 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '', HOME: folder, N8N_USER_FOLDER: folder, ...QUIET, ...database(databaseUrl),
      N8N_LISTEN_ADDRESS: '127.0.0.1', N8N_PORT: String(port), N8N_RUNNERS_BROKER_PORT: String(brokerPort), WEBHOOK_URL: url, ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output = (output + chunk.toString()).slice(-20_000); });
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(force);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('n8n did not start');
  progress('starting n8n');
  await Promise.race([
    until(async () => (await fetch(`${url}/healthz/readiness`)).ok, 'become ready'),
    once(child, 'exit').then(() => { throw new Error(`n8n exited with ${child.exitCode}:\n${output}`); }),
  ]);
  const call = session(url);
  // The REST server comes up a little after the health endpoint.
  await until(async () => call('POST', '/owner/setup', OWNER).then(() => true), 'set up its owner');
  const owned = stack.move();

  return {
    url, pid,
    async publish({ name, nodes, connections, settings = {} }) {
      const { id, versionId } = await call<{ id: string; versionId: string }>('POST', '/workflows', { name, nodes, connections, settings, active: false });
      await call('POST', `/workflows/${id}/activate`, { versionId });
      const hook = `${url}/webhook/${webhookPath(nodes)}`;
      await until(async () => (await fetch(hook, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).status !== 404, 'register a webhook');
      return { id, url: hook };
    },
    lastExecution: async (workflowId) => lastExecution(call, workflowId),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Nothing is reported to anybody, and nothing is asked of the network. */
const QUIET = {
  N8N_DIAGNOSTICS_ENABLED: 'false', N8N_VERSION_NOTIFICATIONS_ENABLED: 'false', N8N_TEMPLATES_ENABLED: 'false', N8N_PERSONALIZATION_ENABLED: 'false',
  N8N_HIRING_BANNER_ENABLED: 'false', N8N_SECURE_COOKIE: 'false', N8N_LOG_LEVEL: 'error', GENERIC_TIMEZONE: 'UTC', NODE_ENV: 'production',
};

function database(text: string | undefined): Record<string, string> {
  if (text === undefined) return { DB_TYPE: 'sqlite' };
  const { hostname, port, username, pathname } = new URL(text);
  return {
    DB_TYPE: 'postgresdb', DB_POSTGRESDB_HOST: hostname, DB_POSTGRESDB_PORT: port, DB_POSTGRESDB_USER: username, DB_POSTGRESDB_PASSWORD: 'unused',
    DB_POSTGRESDB_DATABASE: pathname.slice(1),
  };
}

/** Asks again and again. What is thrown meanwhile counts as no. */
async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const problem = await isSo().then((yes) => (yes ? undefined : 'not yet'), (error: unknown) => error);
    if (problem === undefined) return;
    if (performance.now() > deadline) throw new Error(`n8n did not ${what}`, { cause: problem });
    await delay(200);
  }
}

type Call = <T>(method: string, path: string, body?: unknown) => Promise<T>;

/** Calls n8n's REST API, with the cookie that it sets. */
function session(url: string): Call {
  let cookie = '';
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers = { 'content-type': 'application/json', ...(cookie !== '' && { cookie }) };
    const response = await fetch(`${url}/rest${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`n8n answered ${response.status} to ${method} ${path}: ${text.slice(0, 500)}`);
    cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? cookie;
    return (JSON.parse(text) as { data: T }).data;
  };
}

function webhookPath(nodes: N8nWorkflow['nodes']): string {
  const parameters = nodes.find(({ type }) => type === 'n8n-nodes-base.webhook')?.parameters ?? {};
  return 'path' in parameters ? String(parameters.path) : '';
}

interface Summary {
  id: string;
  status: string;
  startedAt: string;
  stoppedAt: string | null;
}

interface RunData {
  resultData?: { runData?: Record<string, { executionTime?: number }[]> };
}

async function lastExecution(call: Call, workflowId: string): Promise<N8nExecution> {
  const filter = encodeURIComponent(JSON.stringify({ workflowId }));
  const deadline = performance.now() + ENDED_MS;
  for (;;) {
    const { results: [last] } = await call<{ results: Summary[] }>('GET', `/executions?filter=${filter}&limit=1`);
    if (last?.stoppedAt && last.status !== 'running') {
      if (last.status !== 'success') throw new Error(`n8n ended an execution as ${last.status}`);
      const { data } = await call<{ data: string }>('GET', `/executions/${last.id}`);
      const runs = (parseFlatted(data) as RunData).resultData?.runData ?? {};
      return {
        status: last.status,
        durationMs: Date.parse(last.stoppedAt) - Date.parse(last.startedAt),
        nodeMs: Object.fromEntries(Object.entries(runs).map(([node, each]) => [node, each.reduce((sum, { executionTime = 0 }) => sum + executionTime, 0)])),
      };
    }
    if (performance.now() > deadline) throw new Error('n8n did not finish an execution');
    await delay(50);
  }
}
