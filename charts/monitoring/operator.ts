import { lines, number, type Dashboard } from './dashboard.ts';

const HERE = 'namespace=~"$namespace"';
const rate = (metric: string, by: string): string => `sum by (${by}) (rate(millrace_operator_${metric}{${HERE}}[$__rate_interval]))`;
const p99 = (metric: string, by: string): string => `histogram_quantile(0.99, sum by (le, ${by}) (rate(${metric}_bucket{${HERE}}[$__rate_interval])))`;

export const operator: Dashboard = {
  name: 'operator',
  title: 'Millrace / Operator and admission',
  description: 'The control plane: reconciling, watching the API server, admission.',
  byPool: false,
  rows: [
    {
      title: 'Now',
      panels: [
        number('Leaders', 'short', 'Replicas of the operator that lead. Anything but 1 for longer than a change of leader is wrong.', `sum(millrace_operator_leader_election_master_status{${HERE}})`),
        number('Keys waiting', 'short', 'Objects that wait to be reconciled, over all controllers.', `sum(millrace_operator_workqueue_depth{${HERE}})`),
        number('Longest silence', 's', 'Longest time since the API server said anything about a watched kind. Minutes are wrong.', `max(millrace_operator_cache_silence_seconds{${HERE}})`),
        number('Certificate', 'd', 'Days until the certificate of the admission webhooks ends. The operator renews it with 30 days left.', `(min(millrace_admission_certificate_expiry_timestamp_seconds{${HERE}} > 0) - time()) / 86400`),
      ],
    },
    {
      title: 'Reconciling',
      panels: [
        lines('Passes', 'cps', 'Passes per second by controller and how they ended.', [rate('reconcile_total', 'controller, result'), '{{controller}} {{result}}']),
        lines('Time of a pass', 's', '99th percentile by controller.', [p99('millrace_operator_reconcile_duration_seconds', 'controller'), '{{controller}}']),
        lines('Time in the work queue', 's', '99th percentile of the time from a change to its pass.', [p99('millrace_operator_workqueue_queue_duration_seconds', 'name'), '{{name}}']),
        lines('Depth', 'short', 'Keys waiting by controller. Only the leader works them off.', [`max by (name) (millrace_operator_workqueue_depth{${HERE}})`, '{{name}}']),
        lines('Retries', 'cps', 'Keys tried again after a failure.', [`${rate('workqueue_retries_total', 'name')} or vector(0)`, '{{name}}']),
        lines('Passes under way', 'short', 'By controller.', [`max by (controller) (millrace_operator_reconcile_active_workers{${HERE}})`, '{{controller}}']),
      ],
    },
    {
      title: 'API server',
      panels: [
        lines('Requests', 'reqps', 'Requests to the API server by method and status; status 0: no answer.', [rate('rest_client_requests_total', 'method, code'), '{{method}} {{code}}']),
        lines('Latency', 's', '99th percentile by method.', [p99('millrace_operator_rest_client_request_duration_seconds', 'method'), '{{method}}']),
        lines('Broken lists and watches', 'cps', 'By reason. Now and then one is normal.', [`${rate('reflector_errors_total', 'resource, reason')} or vector(0)`, '{{resource}} {{reason}}']),
        lines('Cached objects', 'short', 'Objects in the caches of the operator.', [`max by (resource) (millrace_operator_cache_objects{${HERE}})`, '{{resource}}']),
        lines('Events not recorded', 'short', 'Kubernetes events dropped because there were too many.', [`sum(increase(millrace_operator_events_dropped_total{${HERE}}[$__rate_interval]))`, 'dropped']),
      ],
    },
    {
      title: 'Admission',
      panels: [
        lines('Verdicts', 'reqps', 'Objects judged per second; allowed or not.', [`sum by (allowed) (rate(millrace_admission_duration_seconds_count{${HERE}}[$__rate_interval]))`, 'allowed: {{allowed}}']),
        lines('Latency', 's', 'Time to judge an object, 99th percentile. The API server gives up after 5 s.', [p99('millrace_admission_duration_seconds', 'path'), '{{path}}']),
        lines('No verdict', 'reqps', 'Requests that could not be read or judged.', [`sum(rate(millrace_admission_failures_total{${HERE}}[$__rate_interval]))`, 'failed']),
      ],
    },
  ],
};
