/** One query of a panel. `legend` names its lines by labels, such as `{{pool}}`. */
export interface Query {
  expr: string;
  legend: string;
}

/** Grafana's names of units; see https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/. */
export type Unit = 'short' | 's' | 'reqps' | 'percentunit' | 'bytes' | 'cps' | 'd';

export interface Panel {
  title: string;
  /** What it shows and when to worry. */
  description: string;
  unit: Unit;
  queries: readonly Query[];
  /** Default: lines over time. `number`: the present value, large. */
  as?: 'lines' | 'number';
}

export interface Dashboard {
  /** File name, and the end of the uid. */
  name: string;
  title: string;
  description: string;
  /** Whether panels can be narrowed to pools. */
  byPool: boolean;
  rows: readonly { title: string; panels: readonly Panel[] }[];
}

const GRID = 24;
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** A panel with one query. */
export function lines(title: string, unit: Unit, description: string, ...queries: readonly [expr: string, legend: string][]): Panel {
  return { title, description, unit, queries: queries.map(([expr, legend]) => ({ expr, legend })) };
}

export function number(title: string, unit: Unit, description: string, expr: string): Panel {
  return { title, description, unit, queries: [{ expr, legend: '' }], as: 'number' };
}

/** Median, 95th and 99th percentile of a histogram, over all series that `matchers` select. */
export function quantiles(histogram: string, matchers: string): [string, string][] {
  return [0.5, 0.95, 0.99].map((q) => [`histogram_quantile(${q}, sum by (le) (rate(${histogram}_bucket{${matchers}}[$__rate_interval])))`, `p${q * 100}`]);
}

/** Grafana's own form of a dashboard. Ids follow the order, so that a change shows as a small difference. */
export function grafanaJson({ name, title, description, byPool, rows }: Dashboard): object {
  let id = 0;
  let y = 0;
  const panels: object[] = [];
  for (const row of rows) {
    panels.push({ id: (id += 1), type: 'row', title: row.title, collapsed: false, panels: [], gridPos: { x: 0, y, w: GRID, h: 1 } });
    y += 1;
    const small = row.panels.every(({ as }) => as === 'number');
    const [w, h] = small ? [Math.floor(GRID / Math.max(row.panels.length, 4)), 4] : [8, 8];
    const perLine = Math.floor(GRID / w);
    row.panels.forEach((panel, index) => {
      panels.push(grafanaPanel(panel, (id += 1), { x: (index % perLine) * w, y: y + Math.floor(index / perLine) * h, w, h }));
    });
    y += Math.ceil(row.panels.length / perLine) * h;
  }
  return {
    uid: `millrace-${name}`, title, description, tags: ['millrace'], timezone: 'browser', schemaVersion: 39, version: 1, editable: true, graphTooltip: 1,
    refresh: '30s', time: { from: 'now-1h', to: 'now' },
    templating: { list: [datasourceVariable, labelVariable('namespace', 'Namespace of Millrace', 'millrace_operator_leader_election_master_status'), ...(byPool ? [labelVariable('pool', 'Runner pool', 'millrace_queue_executions')] : [])] },
    panels,
  };
}

function grafanaPanel({ title, description, unit, queries, as = 'lines' }: Panel, id: number, gridPos: object): object {
  return {
    id, title, description, gridPos, datasource: DATASOURCE,
    type: as === 'number' ? 'stat' : 'timeseries',
    fieldConfig: { defaults: { unit, min: 0, ...(as === 'lines' ? { custom: { fillOpacity: 10, showPoints: 'never', spanNulls: false } } : {}) }, overrides: [] },
    options: as === 'number'
      ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value', graphMode: 'area' }
      : { legend: { displayMode: 'list', placement: 'bottom', showLegend: true }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCodePoint(65 + index), datasource: DATASOURCE, expr, legendFormat: legend === '' ? '__auto' : legend, range: as === 'lines', instant: as === 'number',
    })),
  };
}

const datasourceVariable = { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 };

function labelVariable(label: string, title: string, metric: string): object {
  // `.*` and not `.+`: where nothing sets the label, everything is selected all the same.
  return {
    name: label, label: title, type: 'query', datasource: DATASOURCE, query: { query: `label_values(${metric}, ${label})`, refId: label }, refresh: 2,
    includeAll: true, allValue: '.*', multi: true, current: { text: 'All', value: '$__all' },
  };
}
