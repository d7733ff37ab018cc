import { beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { run } from '../cluster/command.ts';
import { prometheusBinaries } from '../prometheus/prometheus.ts';

const root = join(import.meta.dirname, '../..');
const rules = join(root, 'charts/millrace/files/alerts.yaml');
const tests = join(root, 'charts/monitoring/alerts.test.yaml');

interface Rules {
  groups: { rules: { alert: string; labels: { severity: string } }[] }[];
}

let promtool: string;
let alerts: Rules['groups'][number]['rules'];
beforeAll(async () => {
  promtool = join(await prometheusBinaries(), 'promtool');
  alerts = (parse(await readFile(rules, 'utf8')) as Rules).groups.flatMap((group) => group.rules);
}, 300_000);

test('promtool finds the alert rules right, and each fires when it should', async () => {
  expect(await run(promtool, ['check', 'rules', rules])).toContain('SUCCESS');
  expect(await run(promtool, ['test', 'rules', tests])).toContain('SUCCESS');
}, 60_000);

test('each alert has a test in which it fires, and a section that says what to do', async () => {
  const cases = (parse(await readFile(tests, 'utf8')) as { tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] }).tests;
  const firing = new Set(cases.flatMap(({ alert_rule_test: checks }) => checks.filter(({ exp_alerts: expected }) => expected.length > 0).map(({ alertname }) => alertname)));
  const names = alerts.map(({ alert }) => alert);
  expect([...firing].sort()).toEqual([...names].sort());
  const guide = await readFile(join(root, 'docs/alerts.md'), 'utf8');
  expect([...guide.matchAll(/^## (Millrace\w+)$/gm)].map(([, name]) => name)).toEqual(names);
});
