import { lines, quantiles, type Dashboard } from './dashboard.ts';

const HERE = 'namespace=~"$namespace",pool=~"$pool"';
/** Of metrics that know workflows and no pool. */
const ANY_POOL = 'namespace=~"$namespace"';

export const executions: Dashboard = {
  name: 'executions',
  title: 'Millrace / Executions',
  description: 'What executions do: how many, how long, how they end, and which workflows they belong to.',
  byPool: true,
  rows: [
    {
      title: 'Flow',
      panels: [
        lines('Accepted', 'cps', 'New executions per second by pool.', [`sum by (pool) (rate(millrace_store_enqueued_total{${HERE}}[$__rate_interval]))`, '{{pool}}']),
        lines('Ends by status', 'cps', 'Executions that ended, per second.', [`sum by (status) (rate(millrace_runner_finished_total{${HERE}}[$__rate_interval]))`, '{{status}}']),
        lines('Failing share', 'percentunit', 'Part of the executions that ended as Failed.', [`sum by (pool) (rate(millrace_runner_finished_total{${HERE},status="Failed"}[$__rate_interval])) / (sum by (pool) (rate(millrace_runner_finished_total{${HERE}}[$__rate_interval])) > 0)`, '{{pool}}']),
      ],
    },
    {
      title: 'Time',
      panels: [
        lines('Wait in the queue', 's', 'Time from acceptance to claim; first claims only.', ...quantiles('millrace_runner_queue_wait_seconds', HERE)),
        lines('Run time', 's', 'Time from the claim until the end was stored.', ...quantiles('millrace_runner_run_duration_seconds', HERE)),
        lines('Mean run time by pool', 's', 'Useful to tell whether a pool has more or longer work.', [`sum by (pool) (rate(millrace_runner_run_duration_seconds_sum{${HERE}}[$__rate_interval])) / (sum by (pool) (rate(millrace_runner_run_duration_seconds_count{${HERE}}[$__rate_interval])) > 0)`, '{{pool}}']),
      ],
    },
    {
      title: 'Workflows',
      panels: [
        lines('Busiest workflows', 'cps', 'The ten workflows with the most ends. Workflows beyond the bound of MILLRACE_METRICS_WORKFLOWS are shown together as _other.', [`topk(10, sum by (workflow_namespace, workflow) (rate(millrace_runner_workflow_finished_total{${ANY_POOL}}[$__rate_interval])))`, '{{workflow_namespace}}/{{workflow}}']),
        lines('Failing workflows', 'cps', 'The ten workflows with the most ends as Failed.', [`topk(10, sum by (workflow_namespace, workflow) (rate(millrace_runner_workflow_finished_total{${ANY_POOL},status="Failed"}[$__rate_interval])))`, '{{workflow_namespace}}/{{workflow}}']),
      ],
    },
    {
      title: 'Trouble',
      panels: [
        lines('Executors that ended', 'short', 'Executors killed or crashed, by cause: MemoryLimit and Stalled are the fault of what ran in them.', [`sum by (cause) (increase(millrace_runner_executor_exits_total{${HERE}}[$__rate_interval]))`, '{{cause}}']),
        lines('Takeovers', 'short', 'Executions that went on elsewhere after they lost their runner or executor.', [`sum by (pool) (increase(millrace_runner_takeovers_total{${HERE}}[$__rate_interval]))`, '{{pool}}']),
        lines('Refused calls', 'reqps', 'Requests the api refused, by error code; docs/errors.md says what each means.', [`sum by (code) (rate(millrace_api_refused_total{${ANY_POOL}}[$__rate_interval]))`, '{{code}}']),
      ],
    },
  ],
};
