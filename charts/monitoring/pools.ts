import { lines, quantiles, type Dashboard } from './dashboard.ts';

const HERE = 'namespace=~"$namespace",pool=~"$pool"';
const ANY_POOL = 'namespace=~"$namespace"';
/** Every replica of the operator shows the same figures of the database. */
const byPool = (metric: string): string => `max by (pool) (${metric}{${HERE}})`;

export const pools: Dashboard = {
  name: 'pools',
  title: 'Millrace / Pools and queue',
  description: 'Whether pools have the runners their work needs, and how the database under the queue is.',
  byPool: true,
  rows: [
    {
      title: 'Queue',
      panels: [
        lines('Executions by state', 'short', 'Ready: could start now. Delayed: wait for a time or a call.', [`max by (pool, state) (millrace_queue_executions{${HERE}})`, '{{pool}} {{state}}']),
        lines('Oldest ready', 's', 'How long the execution that is next has been ready.', [byPool('millrace_queue_oldest_age_seconds'), '{{pool}}']),
        lines('Arrivals and ends', 'cps', 'Accepted, claimed and finished executions per second.',
          [`sum by (pool) (rate(millrace_store_enqueued_total{${HERE}}[$__rate_interval]))`, '{{pool}} accepted'],
          [`sum by (pool) (rate(millrace_runner_claimed_total{${HERE}}[$__rate_interval]))`, '{{pool}} claimed'],
          [`sum by (pool) (rate(millrace_runner_finished_total{${HERE}}[$__rate_interval]))`, '{{pool}} finished']),
        lines('Schedules', 'cps', 'Ticks per second, by whether they were fired or missed.', [`sum by (outcome) (rate(millrace_schedule_ticks_total{${ANY_POOL}}[$__rate_interval])) or vector(0)`, '{{outcome}}']),
        lines('Lateness of schedules', 's', '99th percentile of the time from when a tick was due until its execution was queued; nothing without ticks.', [`histogram_quantile(0.99, sum by (le) (rate(millrace_schedule_lag_seconds_bucket{${ANY_POOL}}[$__rate_interval]))) >= 0 or vector(0)`, 'p99']),
        lines('Dead letters', 'short', 'Executions that were given up and are kept with what is known of their crashes.', [byPool('millrace_queue_dead_letters'), '{{pool}}']),
      ],
    },
    {
      title: 'Runners',
      panels: [
        lines('Runners', 'short', 'Pods that should be there, pods that are ready, and runners with a live lease.',
          [byPool('millrace_pool_runners_desired'), '{{pool}} desired'], [byPool('millrace_pool_runners_ready'), '{{pool}} ready'], [byPool('millrace_queue_runners'), '{{pool}} live']),
        lines('Used slots', 'percentunit', 'Executions that run, of those that could at the same time. At 1 the queue grows.', [`sum by (pool) (millrace_runner_executions_running{${HERE}}) / (sum by (pool) (millrace_runner_slots{${HERE}}) > 0)`, '{{pool}}']),
        lines('Wait in the queue', 's', 'Time from acceptance to claim.', ...quantiles('millrace_runner_queue_wait_seconds', HERE)),
      ],
    },
    {
      title: 'Database',
      panels: [
        lines('Slowest statements', 's', 'The ten statements with the highest mean time. Slow commits show in enqueue and finish.', [`topk(10, sum by (statement) (rate(millrace_store_statement_duration_seconds_sum{${ANY_POOL}}[$__rate_interval])) / (sum by (statement) (rate(millrace_store_statement_duration_seconds_count{${ANY_POOL}}[$__rate_interval])) > 0))`, '{{statement}}']),
        lines('Statements', 'cps', 'Statements per second by component.', [`sum by (component) (rate(millrace_store_statement_duration_seconds_count{${ANY_POOL}}[$__rate_interval]))`, '{{component}}']),
        lines('Failed statements', 'cps', 'By error code. Those of a lost connection are tried again.', [`sum by (code) (rate(millrace_store_statement_errors_total{${ANY_POOL}}[$__rate_interval])) or vector(0)`, '{{code}}']),
        lines('Connections', 'short', 'Open and idle connections, and calls that wait for one, by component. Waiting calls for long: more connections, or fewer slow statements.', [`sum by (component, state) (millrace_store_connections{${ANY_POOL}})`, '{{component}} {{state}}']),
        lines('Size', 'bytes', 'The database on disk, and its largest tables with their indexes.',
          [`max(millrace_database_size_bytes{${ANY_POOL}})`, 'database'], [`topk(5, max by (table) (millrace_database_table_size_bytes{${ANY_POOL}}))`, '{{table}}']),
        lines('Partitions', 'short', 'Partitions of partitioned tables. They go as the retention of the history passes them.', [`max by (table) (millrace_database_table_partitions{${ANY_POOL}})`, '{{table}}']),
      ],
    },
  ],
};
