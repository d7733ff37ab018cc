import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Claim } from '../../store/lease.ts';
import { BoundedLabels } from '../../service/bounded-labels.ts';
import { Refusal } from '../../service/secret-credentials.ts';
import type { CircuitState } from './circuits.ts';

/** What a runner measures. Called for every execution: each call costs about a microsecond. */
export interface RunnerMetrics {
  /** `waitedMs`: since the execution was accepted. */
  claimed(claim: Pick<Claim, 'crashes' | 'resume'>, waitedMs: number): void;
  /** `ms`: since this runner claimed it. */
  finished(about: Pick<Claim, 'namespace' | 'workflow'>, status: string, ms: number): void;
  executorExited(cause: string): void;
  /** How to look at the present load. */
  load(look: { running(): number; slots(): number; openCircuits(): number }): void;
  /** This runner changed the state of a circuit. */
  circuitChanged(state: CircuitState): void;
  /** A request was held back by an open circuit. */
  circuitRefused(): void;
  /** A node with a cache asked for an earlier result. */
  cacheRead(result: 'hit' | 'miss'): void;
  /** The API server was asked for a credential: Read, or why it was not given. */
  credentialRead(result: string): void;
  /** A node was not tried again, because the retry budget of its workflow was used up. */
  retryRefused(): void;
}

export interface RunnerMetricsOptions {
  /** Name of the RunnerPool. */
  pool: string;
  /** How many workflows get a series of their own; the others share one. 0: none does, and the metric does not exist. */
  workflows: number;
}

const WAIT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const RUN_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** Names end in their unit; labels have few values: never an execution, and workflows only up to a bound. */
export function runnerMetrics(registry: Registry, { pool, workflows }: RunnerMetricsOptions): RunnerMetrics {
  const registers = [registry];
  const claimed = new Counter({ name: 'millrace_runner_claimed_total', help: 'Executions taken from the queue.', labelNames: ['pool'], registers });
  const takeovers = new Counter({
    name: 'millrace_runner_takeovers_total', help: 'Executions taken from the queue that had lost the runner or executor they ran in.', labelNames: ['pool'], registers,
  });
  const waits = new Histogram({
    name: 'millrace_runner_queue_wait_seconds', help: 'Time from the acceptance of an execution to its claim.', labelNames: ['pool'], buckets: WAIT_SECONDS, registers,
  });
  const finished = new Counter({
    name: 'millrace_runner_finished_total', help: 'Executions brought to an end: Succeeded, Failed or Canceled.', labelNames: ['pool', 'status'], registers,
  });
  const runs = new Histogram({
    name: 'millrace_runner_run_duration_seconds', help: 'Time from the claim of an execution until its end was stored.', labelNames: ['pool'], buckets: RUN_SECONDS, registers,
  });
  const exits = new Counter({
    name: 'millrace_runner_executor_exits_total', help: 'Executors that ended while the runner was working: Stopped, Crashed, Stalled or MemoryLimit.', labelNames: ['pool', 'cause'], registers,
  });
  const circuits = new Counter({
    name: 'millrace_runner_circuit_changes_total', help: 'Circuits this runner opened, let one request through (HalfOpen) or closed.', labelNames: ['pool', 'state'], registers,
  });
  const refusals = new Counter({ name: 'millrace_runner_circuit_refused_total', help: 'HTTP requests of nodes that an open circuit held back.', labelNames: ['pool'], registers });
  const spent = new Counter({
    name: 'millrace_runner_retries_refused_total', help: 'Tries of nodes that did not take place because the retry budget of the workflow was used up.', labelNames: ['pool'], registers,
  });
  const reads = new Counter({
    name: 'millrace_runner_cache_reads_total', help: 'Runs of nodes with a cache that found an earlier result (hit) or executed (miss).', labelNames: ['pool', 'result'], registers,
  });
  const credentials = new Counter({
    name: 'millrace_runner_credential_reads_total', help: 'Questions to the API server for a credential of a node: Read, NotFound, Unlabeled, NotGranted or Unavailable.', labelNames: ['pool', 'result'], registers,
  });
  // A series that begins with its first event has no rate for that event.
  const [claims, takes, wait, run] = [claimed.labels(pool), takeovers.labels(pool), waits.labels(pool), runs.labels(pool)];
  const [heldBack, untried] = [refusals.labels(pool), spent.labels(pool)];
  for (const counter of [takes, heldBack, untried]) counter.inc(0);
  for (const result of ['hit', 'miss']) reads.inc({ pool, result }, 0);
  for (const result of ['Read', ...Object.values(Refusal)]) credentials.inc({ pool, result }, 0);
  for (const state of ['Open', 'HalfOpen', 'Closed']) circuits.inc({ pool, state }, 0);
  for (const status of ['Succeeded', 'Failed', 'Canceled']) finished.inc({ pool, status }, 0);
  for (const cause of ['Crashed', 'Stalled', 'MemoryLimit']) exits.inc({ pool, cause }, 0);
  const ofWorkflow = workflows === 0 ? undefined : workflowCounter(registry, workflows);
  return {
    claimed({ crashes, resume }, waitedMs) {
      claims.inc();
      // An execution that comes back from a wait was claimed before, and did not wait in the queue since its acceptance.
      if (resume) return;
      if (crashes > 0) takes.inc();
      else wait.observe(waitedMs / 1000);
    },
    finished(about, status, ms) {
      finished.inc({ pool, status });
      run.observe(ms / 1000);
      ofWorkflow?.(about, status);
    },
    executorExited: (cause) => exits.inc({ pool, cause }),
    circuitChanged: (state) => circuits.inc({ pool, state }),
    circuitRefused: () => heldBack.inc(),
    retryRefused: () => untried.inc(),
    credentialRead: (result) => credentials.inc({ pool, result }),
    cacheRead: (result) => reads.inc({ pool, result }),
    load({ running, slots, openCircuits }) {
      gauge(registry, { name: 'millrace_runner_executions_running', help: 'Executions this runner has the lease of.', pool, read: running });
      gauge(registry, { name: 'millrace_runner_slots', help: 'Executions this runner can run at the same time; 0 while it takes none.', pool, read: slots });
      gauge(registry, { name: 'millrace_runner_circuits_open', help: 'Circuits that are open or half open, as this runner knows them; all runners share them.', pool, read: openCircuits });
    },
  };
}

function workflowCounter(registry: Registry, limit: number): (about: { namespace: string; workflow: string }, status: string) => void {
  const counter = new Counter({
    name: 'millrace_runner_workflow_finished_total', help: 'Executions brought to an end, by workflow; those of workflows beyond the bound are counted as `_other`.',
    labelNames: ['workflow_namespace', 'workflow', 'status'], registers: [registry],
  });
  const bounded = new BoundedLabels(limit);
  return ({ namespace, workflow }, status) => {
    const known = bounded.admit(`${namespace}/${workflow}`);
    counter.inc({ workflow_namespace: known ? namespace : '_other', workflow: known ? workflow : '_other', status });
  };
}

function gauge(registry: Registry, { name, help, pool, read }: { name: string; help: string; pool: string; read: () => number }): void {
  registry.registerMetric(new Gauge({
    name, help, labelNames: ['pool'], registers: [],
    collect() {
      this.set({ pool }, read());
    },
  }));
}
