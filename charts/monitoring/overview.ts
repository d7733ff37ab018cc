import { lines, number, quantiles, type Dashboard } from './dashboard.ts';

const HERE = 'namespace=~"$namespace"';
const WEBHOOK = `${HERE},route=~"/webhook/.*"`;

export const overview: Dashboard = {
  name: 'overview',
  title: 'Millrace / Overview',
  description: 'Whether Millrace does its work: what comes in, what waits, what fails.',
  byPool: false,
  rows: [
    {
      title: 'Now',
      panels: [
        number('Ready executions', 'short', 'Executions that could start now, over all pools.', `sum(max by (pool) (millrace_queue_executions{${HERE},state="ready"}))`),
        number('Oldest ready', 's', 'How long the execution that is next has been ready. Grows when runners are too few or gone.', `max(millrace_queue_oldest_age_seconds{${HERE}})`),
        number('Live runners', 'short', 'Runners with a live lease, over all pools.', `sum(max by (pool) (millrace_queue_runners{${HERE}}))`),
        number('Failing share', 'percentunit', 'Part of the executions that ended in the last 15 minutes as Failed.', `sum(increase(millrace_runner_finished_total{${HERE},status="Failed"}[15m])) / clamp_min(sum(increase(millrace_runner_finished_total{${HERE}}[15m])), 1)`),
        number('Dead letters', 'short', 'Executions given up after they took a runner down three times. Each deserves a look.', `sum(max by (pool) (millrace_queue_dead_letters{${HERE}}))`),
        number('Database', 'short', '1: PostgreSQL answers the operator. 0: it does not; nothing is accepted or finished meanwhile.', `max(millrace_database_up{${HERE}})`),
      ],
    },
    {
      title: 'Work',
      panels: [
        lines('Executions', 'cps', 'Accepted, claimed and finished per second. Claimed stays below accepted while the queue grows.',
          [`sum(rate(millrace_store_enqueued_total{${HERE}}[$__rate_interval]))`, 'accepted'],
          [`sum(rate(millrace_runner_claimed_total{${HERE}}[$__rate_interval]))`, 'claimed'],
          [`sum(rate(millrace_runner_finished_total{${HERE}}[$__rate_interval]))`, 'finished']),
        lines('Ends by status', 'cps', 'How executions ended, per second.', [`sum by (status) (rate(millrace_runner_finished_total{${HERE}}[$__rate_interval]))`, '{{status}}']),
        lines('Wait in the queue', 's', 'Time from the acceptance of an execution to its claim.', ...quantiles('millrace_runner_queue_wait_seconds', HERE)),
      ],
    },
    {
      title: 'Webhooks',
      panels: [
        lines('Calls by status', 'reqps', 'HTTP answers to webhook calls. 5xx: the workflow failed without an answer, or Millrace could not accept the call.', [`sum by (status) (rate(millrace_api_requests_total{${WEBHOOK}}[$__rate_interval]))`, '{{status}}']),
        lines('Latency', 's', 'Time from a webhook call to the end of its answer, the run of the workflow included where it answers.', ...quantiles('millrace_api_request_duration_seconds', WEBHOOK)),
        lines('Acceptance', 's', 'Time until the execution of a webhook call was committed to PostgreSQL.', ...quantiles('millrace_api_accept_duration_seconds', HERE)),
      ],
    },
    {
      title: 'Processes',
      panels: [
        lines('CPU', 'short', 'Processor cores in use by component. Executors are processes of their own and not in it.', [`sum by (component) (rate(process_cpu_seconds_total{${HERE}}[$__rate_interval]))`, '{{component}}']),
        lines('Memory', 'bytes', 'Resident memory by component, the largest process of each.', [`max by (component) (process_resident_memory_bytes{${HERE}})`, '{{component}}']),
        lines('Event loop lag', 's', 'How late timers are, 99th percentile of the last interval. Over 0.1 s a process has too much to do.', [`max by (component) (nodejs_eventloop_lag_p99_seconds{${HERE}})`, '{{component}}']),
      ],
    },
  ],
};
