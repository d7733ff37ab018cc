import { AppsDeployment } from '../../kube/builtin.ts';
import type { AnyObject, Cache, Client, Manager } from '../../kube/index.ts';
import { KubeError, StalledError, objectReconciler, owns, reads, toOwner, watch, writes, writesStatus } from '../../kube/index.ts';
import { MANAGED_BY, label } from '../labels.ts';
import type { Needs } from '../needs.ts';
import { reconcileRequest } from '../reconcile-request.ts';
import { RunnerPool } from '../resources.ts';
import { availabilityOf } from './availability.ts';
import type { RunnerDefaults } from './deployment.ts';
import { deploymentName, podLabels, runnerDeployment, wantedReplicas } from './deployment.ts';

export const runnerPoolNeeds: Needs = {
  everywhere: [...reads(RunnerPool), ...writesStatus(RunnerPool), ...owns(RunnerPool)],
  home: [...reads(AppsDeployment), ...writes(AppsDeployment)],
};

export interface RunnerPoolControllerOptions {
  manager: Manager;
  /** The operator's namespace, the only one where pools have pods: the pods hold the credentials of the database. */
  home: string;
  /** Where pools are looked at, to say so to those that are elsewhere. Absent: everywhere. */
  namespace?: string;
  defaults: RunnerDefaults;
}

/** The Deployments of all pools. */
export function runnerDeployments(manager: Manager, home: string): Cache<AppsDeployment> {
  return manager.cache(AppsDeployment, { namespace: home, labelSelector: `${label.managedBy}=${MANAGED_BY},${label.component}=runner` });
}

/** Keeps one apps/v1 Deployment of runner pods for each RunnerPool. */
export function runnerPoolController({ manager, home, namespace, defaults }: RunnerPoolControllerOptions): void {
  const pools = manager.cache(RunnerPool, namespace === undefined ? {} : { namespace });
  const deployments = runnerDeployments(manager, home);
  const client = manager.client(AppsDeployment);

  manager.control({
    name: namespace === undefined ? 'runnerpool' : `runnerpool-${namespace}`,
    rbac: [...runnerPoolNeeds.everywhere, ...runnerPoolNeeds.home],
    watches: [watch(pools), watch(deployments, { to: toOwner(RunnerPool) })],
    reconcile: objectReconciler<RunnerPool>({
      manager,
      cache: pools,
      ready: ['Available'],
      suspended: ({ spec }) => spec.suspend === true,
      async reconcile(pool, pass) {
        Object.assign(pass.status, reconcileRequest(pool));
        if (pool.metadata.namespace !== home) {
          throw new StalledError('NamespaceNotServed', { message: `runner pools run in the namespace of the operator: create this one in namespace ${home}` });
        }
        const live = deployments.get(`${home}/${deploymentName(pool.metadata.name)}`);
        const deployment = await ensure(client, runnerDeployment(pool, defaults), { live, signal: pass.signal });
        const { replicas = 0, readyReplicas = 0, updatedReplicas = 0 } = deployment.status ?? {};
        Object.assign(pass.status, { replicas, readyReplicas, updatedReplicas, selector: selectorText(podLabels(pool.metadata.name)) });
        const available = availabilityOf(deployment, wantedReplicas(pool.spec));
        pass.mark('Available', available.status, available.reason, available.message);
        if (available.stalled) throw new StalledError(available.reason, { message: available.message });
        return {};
      },
    }),
  });
}

/** What the API server finds wrong with the pods comes from the pool's spec, so its author must hear it. */
async function ensure<T extends AnyObject>(client: Client<T>, ...[wanted, options]: Parameters<Client<T>['ensure']>): Promise<T> {
  try {
    return await client.ensure(wanted, options);
  } catch (error) {
    if (error instanceof KubeError && error.reason === 'Invalid') {
      throw new StalledError('RunnerSpecRefused', { message: `the API server refuses the Deployment made of this pool: ${error.message}`, cause: error });
    }
    throw error;
  }
}

function selectorText(labels: Record<string, string>): string {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(',');
}
