import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import type { NetworkPolicy, PodDisruptionBudget, ServiceAccount } from '../../kube/builtin.ts';
import type { Draft } from '../../kube/object.ts';
import { ownerReference } from '../../kube/owner-reference.ts';
import { MANAGED_BY, label } from '../labels.ts';
import type { RunnerPool } from '../resources.ts';
import { deploymentName, podLabels } from './deployment.ts';

/** Rounded up by Kubernetes, so that one runner at a time may always be evicted: its work goes on elsewhere. */
const DEFAULT_UNAVAILABLE = '25%';
const DNS_PORT = 53;

type EgressRules = NonNullable<NonNullable<NetworkPolicy['spec']>['egress']>;

/** The objects a pool may have besides its Deployment; all have its name. */
export interface PoolObjects {
  disruptionBudget: Draft<PodDisruptionBudget>;
  /** Absent: the pods use one that is there already. */
  serviceAccount?: Draft<ServiceAccount>;
  /** Absent: that of the installation counts. */
  networkPolicy?: Draft<NetworkPolicy>;
}

/** `storePorts`: where PostgreSQL and the object storage listen. */
export function poolObjects(pool: RunnerPool, storePorts: readonly number[]): PoolObjects {
  const { spec, metadata } = pool;
  const selector = podLabels(metadata.name);
  const own = {
    name: deploymentName(metadata.name), namespace: metadata.namespace ?? '',
    labels: { [label.name]: 'millrace', [label.managedBy]: MANAGED_BY, ...selector }, ownerReferences: [ownerReference(pool)],
  };
  const { annotations = {} } = spec.serviceAccount ?? {};
  return {
    // Pods that run one execution alone come and go with it: they are no part of the capacity that is kept.
    disruptionBudget: { metadata: own, spec: { maxUnavailable: spec.disruption?.maxUnavailable ?? DEFAULT_UNAVAILABLE, selector: { matchLabels: selector, matchExpressions: [{ key: label.execution, operator: 'DoesNotExist' }] } } },
    ...(spec.serviceAccount && { serviceAccount: { metadata: { ...own, annotations }, automountServiceAccountToken: false } }),
    ...(spec.networkPolicy && {
      networkPolicy: {
        metadata: own,
        spec: {
          podSelector: { matchLabels: selector }, policyTypes: ['Ingress', 'Egress'],
          ingress: [{ ports: [{ port: 'health', protocol: 'TCP' }] }], egress: egressOf(spec.networkPolicy, storePorts),
        },
      },
    }),
  };
}

/** A policy that keeps a pool from what it stores or from names would be a way to stop it, not to protect it. */
function egressOf({ egress = [] }: NonNullable<RunnerPoolSpec['networkPolicy']>, storePorts: readonly number[]): EgressRules {
  return [
    { ports: [{ port: DNS_PORT, protocol: 'UDP' }, { port: DNS_PORT, protocol: 'TCP' }] },
    { ports: storePorts.map((port) => ({ port, protocol: 'TCP' })) },
    ...egress,
  ];
}
