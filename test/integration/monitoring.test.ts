import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { request } from 'node:https';
import { join } from 'node:path';
import { dashboards } from '../../charts/monitoring/artifacts.ts';
import { exportedMetrics, type Role } from '../../charts/monitoring/metrics-reference.ts';
import { WORKFLOW_PATH, validatingConfiguration } from '../../webhooks/configuration.ts';
import { startPrometheus, type Prometheus } from '../prometheus/prometheus.ts';
import { eventually } from '../eventually.ts';
import { HOME, WEBHOOKS, eventually as objectBecomes, isReady, startWorld, type World } from './controllers-setup.ts';
import { startRole, type RoleProcess } from './role-process.ts';

jest.setTimeout(180_000);

const root = join(import.meta.dirname, '../..');
const SECRET = 'hunter2-planted-secret';

let world: World;
let roles: Record<Role, RoleProcess>;
let prometheus: Prometheus;

const hook = (path: string, responseMode: string) => ({ name: 'Hook', type: 'webhook', parameters: { httpMethod: 'POST', path, responseMode } });
const to = (name: string) => [{ from: 'Hook', output: 0, to: name, input: 0, type: 'main' }];
const set = { name: 'Keep', type: 'set', parameters: { mode: 'raw', jsonOutput: '{"ok": true}' } };
const fail = { name: 'Fail', type: 'stopAndError', parameters: { errorMessage: '={{ $json.body.password }}' } };
const hang = { name: 'Hang', type: 'code', parameters: { jsCode: 'for (;;) {}' } };

const workflows: Record<string, object> = {
  good: { nodes: [hook('good', 'lastNode'), set], connections: to('Keep') },
  bad: { nodes: [hook('bad', 'lastNode'), fail], connections: to('Fail') },
  hang: { nodes: [hook('hang', 'onReceived'), hang], connections: to('Hang') },
};

beforeAll(async () => {
  world = await startWorld();
  const shared = {
    KUBECONFIG: world.plane.kubeconfig, MILLRACE_DATABASE_URL: world.databaseUrl, POD_NAMESPACE: HOME, MILLRACE_LOG_LEVEL: 'debug', MILLRACE_WEBHOOK_SECRET: WEBHOOKS.secret,
  };
  const [api, runner, webhooks] = await Promise.all([
    startRole('api', { ...shared, POD_NAME: 'api' }),
    startRole('runner', { ...shared, POD_NAME: 'runner', MILLRACE_EXECUTORS: '2', MILLRACE_STALL_MS: '1500', MILLRACE_VAR_token: SECRET }),
    startRole('webhooks', shared, 503),
  ]);
  const operator = await startRole('operator', {
    ...shared, POD_NAME: 'operator', MILLRACE_IMAGE: 'millrace:test', MILLRACE_DATABASE_SECRET: 'database',
    MILLRACE_WEBHOOK_CONFIGURATION: WEBHOOKS.configuration, MILLRACE_WEBHOOK_SERVICE: WEBHOOKS.service,
  });
  roles = { api, runner, operator, webhooks };
  await world.plane.apply(
    { apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name: 'default', namespace: HOME }, spec: {} },
    ...Object.entries(workflows).map(([name, spec]) => ({ apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: 'shop' }, spec: { active: true, ...spec } })),
  );
  for (const name of Object.keys(workflows)) await objectBecomes(world, ['mwf', name], isReady);
  // Last, so that the API server does not ask webhooks that it cannot reach about the Workflows above.
  await world.plane.apply(validatingConfiguration({
    name: WEBHOOKS.configuration, operator: 'nobody', clientConfig: { service: { namespace: HOME, name: WEBHOOKS.service, port: 443, path: WORKFLOW_PATH } },
  }));
  await eventually(async () => expect((await fetch(`http://127.0.0.1:${webhooks.healthPort}/readyz`)).status).toBe(200));
  const targets = Object.entries(roles).map(([component, { healthPort }]) => ({ labels: { component, namespace: HOME, pod: component }, port: healthPort }));
  prometheus = await startPrometheus(targets, { rules: [join(root, 'charts/millrace/files/alerts.yaml')] });
}, 300_000);

afterAll(async () => {
  await prometheus.stop();
  await Promise.all(Object.values(roles).map((role) => role.stop()));
  await world.stop();
});

async function call(path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${roles.api.port}/webhook/shop/${path}`, {
    method: 'POST', body: JSON.stringify({ password: SECRET }), headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}`, 'x-api-key': SECRET },
  });
  await response.arrayBuffer();
  return response.status;
}

/** Asks the admission webhook as the API server would. */
async function review(): Promise<void> {
  const object = { apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: 'new', namespace: 'shop' }, spec: { nodes: [{ name: 'Start', type: 'manualTrigger' }] } };
  const body = JSON.stringify({
    apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u1', operation: 'CREATE', kind: { group: 'millrace.dev', version: 'v1alpha1', kind: 'Workflow' }, object },
  });
  await new Promise<void>((resolve, reject) => {
    const sent = request({ port: roles.webhooks.port, path: WORKFLOW_PATH, method: 'POST', rejectUnauthorized: false }, (response) => {
      response.resume().on('end', resolve);
    });
    sent.on('error', reject).end(body);
  });
}

/** A query as Grafana would send it. */
const filled = (expr: string): string => expr.replaceAll('$namespace', '.*').replaceAll('$pool', '.*').replaceAll('$__rate_interval', '10m');

test('each role exports the metrics of docs/metrics.md, and no others', async () => {
  for (const [role, entries] of Object.entries(exportedMetrics()) as [Role, { name: string; type: string }[]][]) {
    const text = await (await fetch(`http://127.0.0.1:${roles[role].healthPort}/metrics`)).text();
    const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => ({ name, type })).filter(({ name }) => !/^(process|nodejs)_/.test(name));
    expect({ role, types: types.sort((a, b) => (a.name < b.name ? -1 : 1)) }).toEqual({ role, types: entries.map(({ name, type }) => ({ name, type })) });
  }
});

describe('under load', () => {
  beforeAll(async () => {
    expect(await call('hang')).toBe(200);
    for (let round = 0; round < 5; round += 1) {
      expect(await Promise.all([call('good'), call('good'), call('bad'), call('nowhere')])).toEqual([200, 200, 500, 404]);
      await review();
      // The operator has something to do between any two scrapes as well.
      await world.plane.kubectl('annotate', '--overwrite', '--all', 'runnerpools.millrace.dev', '--namespace', HOME, `reconcile.fluxcd.io/requestedAt=${String(round)}`);
      await world.plane.kubectl('label', '--overwrite', 'validatingwebhookconfigurations', WEBHOOKS.configuration, `round=${String(round)}`);
      // Rates need two scrapes with a difference between them.
      const scraped = await prometheus.query('max(timestamp(up))');
      await eventually(async () => expect((await prometheus.query('min(timestamp(up))'))[0]?.value).toBeGreaterThan(scraped[0]?.value ?? 0), { everyMs: 200 });
    }
    await eventually(async () => {
      const [killed] = await prometheus.query('sum(millrace_runner_executor_exits_total{cause="Stalled"})');
      expect(killed?.value).toBeGreaterThan(0);
    });
  });

  test('every query of every dashboard has data', async () => {
    const queries = dashboards.flatMap(({ name, rows }) => rows.flatMap(({ panels }) => panels.flatMap(({ title, queries: all }) => all.map(({ expr }) => ({ name, title, expr })))));
    expect(queries.length).toBeGreaterThan(60);
    await eventually(async () => {
      const answers = await Promise.all(queries.map(async (query) => ({ ...query, samples: await prometheus.query(filled(query.expr)) })));
      expect(answers.filter(({ samples }) => !samples.some(({ value }) => Number.isFinite(value)))).toEqual([]);
    }, { everyMs: 500 });
  });

  test('the alert rules are evaluated without errors', async () => {
    await eventually(async () => {
      const rules = await prometheus.rules();
      expect(rules.length).toBeGreaterThan(10);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    });
    const firing = await prometheus.query('ALERTS{alertstate="firing"}');
    expect(firing.map(({ metric }) => metric['alertname'])).not.toContain('MillraceOperatorDown');
  });

  test('figures are right, not only there', async () => {
    await eventually(async () => {
      const value = async (expr: string) => (await prometheus.query(expr))[0]?.value;
      expect(await value('sum(millrace_api_requests_total{route=~"/webhook/.*",status="200"})')).toBe(11);
      expect(await value('sum(millrace_api_requests_total{route=~"/webhook/.*",status="500"})')).toBe(5);
      expect(await value('sum(millrace_store_enqueued_total{pool="default"})')).toBe(16);
      expect(await value('millrace_runner_finished_total{status="Succeeded"}')).toBe(10);
      expect(await value('millrace_runner_workflow_finished_total{workflow="bad",status="Failed"}')).toBe(5);
      expect(await value('millrace_queue_runners{pool="default"}')).toBe(1);
      expect(await value('millrace_operator_leader_election_master_status')).toBe(1);
      expect(await value('millrace_pool_runners_desired{pool="default"}')).toBeGreaterThanOrEqual(1);
      expect((await value('millrace_admission_certificate_expiry_timestamp_seconds')) ?? 0).toBeGreaterThan(Date.now() / 1000 + 86_400);
    });
  });

  test('no secret of a caller or of the environment is in a log, a metric or an object', async () => {
    const metrics = await Promise.all(Object.values(roles).map(async ({ healthPort }) => (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text()));
    const objects = await world.plane.kubectl('get', 'workflows.millrace.dev,workflowruns.millrace.dev,runnerpools.millrace.dev,events,configmaps', '--all-namespaces', '--output', 'yaml');
    const logs = Object.values(roles).map((role) => role.output());
    expect(logs.every((log) => log.length > 0)).toBe(true);
    for (const text of [...metrics, ...logs, objects]) expect(text).not.toContain(SECRET);
  });

  test('logs have the same fields in every role', () => {
    for (const [role, { output }] of Object.entries(roles)) {
      const lines = output().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
      for (const line of lines) expect(line).toMatchObject({ role, level: expect.any(Number), time: expect.any(Number), msg: expect.stringMatching(/^[A-Z]/) });
    }
  });
});
