import { Counter, Histogram, type Registry } from 'prom-client';

/** What a runner counts. Names end in their unit; every label has a small closed set of values. */
export function runnerMetrics(registry: Registry) {
  return {
    claimed: new Counter({ name: 'millrace_runner_claimed_executions_total', help: 'Executions this runner took from the queue.', registers: [registry] }),
    finished: new Counter({ name: 'millrace_runner_finished_executions_total', help: 'Executions this runner brought to an end.', labelNames: ['status'], registers: [registry] }),
    executorExits: new Counter({ name: 'millrace_runner_executor_exits_total', help: 'Executors that ended while the runner was working.', labelNames: ['cause'], registers: [registry] }),
    queueSeconds: new Histogram({
      name: 'millrace_runner_queue_seconds', help: 'Time from acceptance of an execution to its claim.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120], registers: [registry],
    }),
  };
}
export type RunnerMetrics = ReturnType<typeof runnerMetrics>;
