import { describe, expect, test } from '@jest/globals';
import { grafanaJson } from './dashboard.ts';
import { dashboards } from './artifacts.ts';
import { exportedMetrics } from './metrics-reference.ts';

const metrics = Object.values(exportedMetrics()).flat();

describe.each(dashboards)('dashboard $name', (dashboard) => {
  const panels = dashboard.rows.flatMap((row) => row.panels);

  test('names and explains each panel, once', () => {
    const titles = dashboard.rows.flatMap((row) => row.panels.map(({ title }) => `${row.title}: ${title}`));
    expect(new Set(titles).size).toBe(titles.length);
    for (const { title, description, queries } of panels) {
      expect([title, description.endsWith('.'), queries.length > 0]).toEqual([title, true, true]);
    }
  });

  test('asks only for what is exported', () => {
    const known = new Set(metrics.flatMap(({ name, type }) => (type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name])));
    for (const { expr } of panels.flatMap(({ queries }) => queries)) {
      for (const [name] of expr.matchAll(/\bmillrace_\w+/g)) expect(known).toContain(name);
    }
  });

  test('is a dashboard Grafana can load: ids and places of its own, one data source to choose', () => {
    const json = grafanaJson(dashboard) as { uid: string; panels: { id: number; type: string; datasource?: { uid: string }; gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[] };
    expect(json.uid).toBe(`millrace-${dashboard.name}`);
    expect(new Set(json.panels.map(({ id }) => id)).size).toBe(json.panels.length);
    const cells = json.panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, n) => `${x + (n % w)}/${y + Math.floor(n / w)}`));
    expect(new Set(cells).size).toBe(cells.length);
    for (const { type, datasource, gridPos } of json.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      if (type !== 'row') expect(datasource?.uid).toBe('${datasource}');
    }
  });
});

test('metrics are named alike: prefix, unit, and no label that grows with use', () => {
  for (const { name, type, labels, help } of metrics) {
    expect(name).toMatch(/^millrace_[a-z0-9_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_(seconds|size)$/);
    expect(help).not.toBe('');
    for (const label of labels) expect(['execution', 'id', 'path_raw', 'user', 'url', 'message']).not.toContain(label);
  }
});
