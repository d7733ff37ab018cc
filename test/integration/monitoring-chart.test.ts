import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { dashboards } from '../../charts/monitoring/artifacts.ts';
import { binaries } from '../cluster/build.ts';
import { run } from '../cluster/command.ts';
import { prometheusBinaries } from '../prometheus/prometheus.ts';

const chart = join(import.meta.dirname, '../../charts/millrace');
const WITH_OPERATOR = ['--api-versions', 'monitoring.coreos.com/v1'];

interface Manifest {
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  spec: Record<string, unknown>;
  data?: Record<string, string>;
}

let helm: string;
let promtool: string;
beforeAll(async () => {
  const [pathOf, bin] = await Promise.all([binaries(['helm']), prometheusBinaries()]);
  helm = pathOf('helm');
  promtool = join(bin, 'promtool');
}, 600_000);

async function render(values: object, ...flags: string[]): Promise<Manifest[]> {
  const text = await run(helm, ['template', 'millrace', chart, '--namespace', 'millrace', '--values', '-', ...flags], { input: stringify(values) });
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

describe('the chart', () => {
  test('brings nothing for Prometheus and Grafana unless asked', async () => {
    const manifests = await render({}, ...WITH_OPERATOR);
    expect(manifests.filter(({ kind, metadata }) => kind === 'ServiceMonitor' || kind === 'PrometheusRule' || /dashboard|metrics/.test(metadata.name))).toEqual([]);
  });

  test('brings a ServiceMonitor, rules that promtool takes with the thresholds of the values, and the dashboards', async () => {
    const manifests = await render({
      metrics: { serviceMonitor: { enabled: true, labels: { release: 'p' } }, rules: { enabled: true, queueAgeSeconds: 120, failingRatio: 0.5, webhookErrorRatio: 0.01 }, dashboards: { enabled: true, labelValue: 'shown' } },
    }, ...WITH_OPERATOR);
    const ofKind = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
    expect(ofKind('ServiceMonitor')).toMatchObject([{ metadata: { labels: { release: 'p' } }, spec: { endpoints: [{ port: 'metrics' }] } }]);
    const [rules] = ofKind('PrometheusRule');
    for (const threshold of [/oldest_age_seconds\) > 120\b/, /\[15m\]\)\) > 0\.5\b/, /\[5m\]\)\) > 0\.01\b/]) expect(JSON.stringify(rules?.spec)).toMatch(threshold);
    const directory = await mkdtemp(join(tmpdir(), 'millrace-rules-'));
    await writeFile(join(directory, 'rules.yaml'), stringify(rules?.spec));
    await run(promtool, ['check', 'rules', join(directory, 'rules.yaml')]);
    await rm(directory, { recursive: true });
    const shipped = ofKind('ConfigMap').filter(({ metadata }) => metadata.labels['grafana_dashboard'] === 'shown').flatMap(({ data }) => Object.values(data ?? {}));
    expect(shipped.map((json) => (JSON.parse(json) as { uid: string }).uid).sort()).toEqual(dashboards.map(({ name }) => `millrace-${name}`).sort());
  });

  test.each(['serviceMonitor', 'rules'])('says what is missing when the cluster does not know metrics.%s', async (part) => {
    await expect(render({ metrics: { [part]: { enabled: true } } })).rejects.toThrow(/needs the Prometheus operator/);
  });
});
