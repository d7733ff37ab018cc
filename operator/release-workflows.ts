import type { Cluster, Log, PolicyRule } from './kube/index.ts';
import { client, isNotFound, patches, reads, removeFinalizer } from './kube/index.ts';
import { Pod } from './kube/builtin.ts';
import { WORKFLOW_FINALIZER, label } from './controllers/labels.ts';
import { Workflow } from './controllers/resources.ts';

/** Looks for the operator's pods: in the release's namespace. */
export const releaseHomeNeeds: PolicyRule[] = [...reads(Pod)];
/** Lets Workflows go: wherever the operator held them. */
export const releaseNeeds: PolicyRule[] = [...reads(Workflow), ...patches(Workflow)];

const POLL_MS = 500;
const AT_ONCE = 16;

export interface ReleaseOptions {
  cluster: Cluster;
  /** Namespace of the release. */
  home: string;
  /** Name of the release, as pods are labelled with it. */
  instance: string;
  /** Namespaces that the operator looked after; empty: all. */
  namespaces: readonly string[];
  log: Log;
}

/**
 * After the operator is removed for good nobody removes its finalizer from Workflows, so that deleting one, or its namespace, would
 * hang. Waits until the operator's pods are gone, for they would put it back, then takes it off. An operator installed later
 * takes the Workflows up again, and drops the routes of those that have gone. Returns how many were let go.
 */
export async function releaseWorkflows({ cluster, home, instance, namespaces, log }: ReleaseOptions): Promise<number> {
  await operatorGone(cluster, home, instance);
  const workflows = client(cluster, Workflow, { fieldManager: 'millrace-operator' });
  let released = 0;
  for (const namespace of namespaces.length === 0 ? [undefined] : namespaces) {
    const held = (await listed(() => workflows.list({ namespace }))).filter(({ metadata }) => metadata.finalizers?.includes(WORKFLOW_FINALIZER));
    for (let next = 0; next < held.length; next += AT_ONCE) {
      await Promise.all(held.slice(next, next + AT_ONCE).map((workflow) => removeFinalizer(workflows, workflow, WORKFLOW_FINALIZER)));
    }
    released += held.length;
  }
  log.info({ workflows: released }, 'Let the workflows go');
  return released;
}

async function operatorGone(cluster: Cluster, namespace: string, instance: string): Promise<void> {
  const pods = client(cluster, Pod, { fieldManager: 'millrace-operator' });
  const labelSelector = `${label.instance}=${instance},${label.component}=operator`;
  while ((await pods.list({ namespace, labelSelector })).items.length > 0) await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
}

/** Where the custom resource definitions are gone, so are all Workflows. */
async function listed<T>(list: () => Promise<{ items: T[] }>): Promise<T[]> {
  try {
    return (await list()).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
