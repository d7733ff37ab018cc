import type { Artifact } from '../../crds/artifacts.ts';
import { grafanaJson } from './dashboard.ts';
import { executions } from './executions.ts';
import { metricsReference } from './metrics-reference.ts';
import { operator } from './operator.ts';
import { overview } from './overview.ts';
import { pools } from './pools.ts';

export const dashboards = [overview, executions, pools, operator];

/** The dashboards as the chart ships them, which has no other source for them, and the list of all metrics. */
export function monitoringArtifacts(): Artifact[] {
  const files = dashboards.map((dashboard) => ({
    path: `charts/millrace/files/dashboards/${dashboard.name}.json`, content: `${JSON.stringify(grafanaJson(dashboard), undefined, 2)}\n`,
  }));
  return [...files, metricsReference()];
}
