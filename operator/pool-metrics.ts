import { Gauge, type Registry } from 'prom-client';
import { label } from './controllers/labels.ts';
import type { AppsDeployment } from './kube/builtin.ts';
import type { Cache } from './kube/index.ts';

/** Shows how many runners each pool should have and has, as its apps/v1 Deployment says. */
export function poolMetrics(registry: Registry, deployments: Pick<Cache<AppsDeployment>, 'list'>): void {
  const gauge = (name: string, help: string, read: (deployment: AppsDeployment) => number): Gauge => new Gauge({
    name, help, labelNames: ['pool'], registers: [registry],
    collect() {
      this.reset();
      for (const deployment of deployments.list()) {
        const pool = deployment.metadata.labels?.[label.runnerPool];
        if (pool !== undefined) this.set({ pool }, read(deployment));
      }
    },
  });
  gauge('millrace_pool_runners_desired', 'Runner pods the pool should have now.', ({ spec }) => spec?.replicas ?? 1);
  gauge('millrace_pool_runners_ready', 'Runner pods of the pool that are ready.', ({ status }) => status?.readyReplicas ?? 0);
}
