import { availableParallelism, hostname, tmpdir } from 'node:os';
import { randomUUID } from 'node:crypto';
import { WorkflowError } from './engine/error.ts';
import { DEFAULT_DENIED_CIDRS } from './egress.ts';
import type { SupervisorOptions } from './supervisor/supervisor.ts';

/** Environment of a runner; docs/configuration.md lists it for operators. */
export interface RunnerConfig extends SupervisorOptions {
  databaseUrl: string;
  /** Health and metrics. */
  port: number;
  /** How many workflows get series of their own. */
  metricsWorkflows: number;
}

const MIB = 2 ** 20;

function integer(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new WorkflowError('InvalidConfiguration', `${name} is '${text}'; it has to be a whole number, 0 or more.`);
  return value;
}

function list(env: NodeJS.ProcessEnv, name: string, fallback: readonly string[]): readonly string[] {
  const text = env[name];
  return text === undefined ? fallback : text.split(',').filter((part) => part !== '');
}

/** `MILLRACE_VAR_region=eu` becomes `$vars.region`. */
function variables(env: NodeJS.ProcessEnv): Record<string, string> {
  const prefix = 'MILLRACE_VAR_';
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (name.startsWith(prefix) && value !== undefined ? [[name.slice(prefix.length), value]] : [])));
}

/** Throws WorkflowError InvalidConfiguration naming the variable. */
export function runnerConfig(env: NodeJS.ProcessEnv): RunnerConfig {
  const databaseUrl = env['MILLRACE_DATABASE_URL'];
  if (!databaseUrl) throw new WorkflowError('InvalidConfiguration', 'MILLRACE_DATABASE_URL is not set; it names the PostgreSQL database, such as postgres://user:password@host:5432/millrace.');
  const memoryBytes = integer(env, 'MILLRACE_EXECUTOR_MEMORY_MB', 512) * MIB;
  const executors = integer(env, 'MILLRACE_EXECUTORS', availableParallelism());
  return {
    databaseUrl,
    port: integer(env, 'MILLRACE_HEALTH_PORT', 8080),
    metricsWorkflows: integer(env, 'MILLRACE_METRICS_WORKFLOWS', 100),
    pool: env['MILLRACE_POOL'] ?? 'default',
    ...(env['MILLRACE_EXECUTION'] ? { executionId: env['MILLRACE_EXECUTION'] } : {}),
    runner: `${env['POD_NAME'] ?? hostname()}/${randomUUID().slice(0, 8)}`,
    leaseMs: integer(env, 'MILLRACE_LEASE_MS', 8000),
    graceMs: integer(env, 'MILLRACE_GRACE_MS', 25_000),
    executors,
    concurrency: integer(env, 'MILLRACE_EXECUTOR_CONCURRENCY', 20),
    memoryBytes,
    // Below the limit for the whole process, so that a full heap ends in V8's own error most of the time.
    heapBytes: Math.floor(memoryBytes * 0.75),
    stallMs: integer(env, 'MILLRACE_STALL_MS', 10_000),
    scratch: env['MILLRACE_SCRATCH_DIR'] ?? tmpdir(),
    deniedCidrs: list(env, 'MILLRACE_DENIED_NETWORKS', DEFAULT_DENIED_CIDRS),
    // Executors have pools of their own: each gets its share of the runner's.
    databaseConnections: Math.max(1, Math.floor(integer(env, 'MILLRACE_DATABASE_CONNECTIONS', 10) / Math.max(1, executors))),
    variables: variables(env),
    baseUrl: (env['MILLRACE_BASE_URL'] ?? '').replace(/\/$/, ''),
  };
}
