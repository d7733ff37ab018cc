import { resource } from './resource.ts';
import type {
  V1ClusterRole,
  V1ConfigMap,
  V1ControllerRevision,
  V1CustomResourceDefinition,
  V1Deployment,
  V1Ingress,
  V1Job,
  V1Lease,
  V1Namespace,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1ReplicaSet,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
  V1ValidatingWebhookConfiguration,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import type { Raw } from './object.ts';

/** Kinds that Kubernetes brings along. The types come from @kubernetes/client-node, as raw JSON; none of its code is loaded. */

const core = { group: '', version: 'v1' };
const apps = { group: 'apps', version: 'v1' };
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' };

export type Namespace = Raw<V1Namespace>;
export const Namespace = resource<Namespace>({ ...core, plural: 'namespaces', kind: 'Namespace', namespaced: false });
export type Node = Raw<V1Node>;
export const Node = resource<Node>({ ...core, plural: 'nodes', kind: 'Node', namespaced: false });
export type Pod = Raw<V1Pod>;
export const Pod = resource<Pod>({ ...core, plural: 'pods', kind: 'Pod' });
export type Service = Raw<V1Service>;
export const Service = resource<Service>({ ...core, plural: 'services', kind: 'Service' });
export type ConfigMap = Raw<V1ConfigMap>;
export const ConfigMap = resource<ConfigMap>({ ...core, plural: 'configmaps', kind: 'ConfigMap' });
export type Secret = Raw<V1Secret>;
export const Secret = resource<Secret>({ ...core, plural: 'secrets', kind: 'Secret' });
export type ServiceAccount = Raw<V1ServiceAccount>;
export const ServiceAccount = resource<ServiceAccount>({ ...core, plural: 'serviceaccounts', kind: 'ServiceAccount' });
export type PersistentVolumeClaim = Raw<V1PersistentVolumeClaim>;
export const PersistentVolumeClaim = resource<PersistentVolumeClaim>({ ...core, plural: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim' });

/** apps/v1 Deployment. */
export type AppsDeployment = Raw<V1Deployment>;
export const AppsDeployment = resource<AppsDeployment>({ ...apps, plural: 'deployments', kind: 'Deployment' });
export type ReplicaSet = Raw<V1ReplicaSet>;
export const ReplicaSet = resource<ReplicaSet>({ ...apps, plural: 'replicasets', kind: 'ReplicaSet' });
export type StatefulSet = Raw<V1StatefulSet>;
export const StatefulSet = resource<StatefulSet>({ ...apps, plural: 'statefulsets', kind: 'StatefulSet' });
export type ControllerRevision = Raw<V1ControllerRevision>;
export const ControllerRevision = resource<ControllerRevision>({ ...apps, plural: 'controllerrevisions', kind: 'ControllerRevision' });
export type Job = Raw<V1Job>;
export const Job = resource<Job>({ group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' });
export type HorizontalPodAutoscaler = Raw<V2HorizontalPodAutoscaler>;
export const HorizontalPodAutoscaler = resource<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  plural: 'horizontalpodautoscalers',
  kind: 'HorizontalPodAutoscaler',
});
export type PodDisruptionBudget = Raw<V1PodDisruptionBudget>;
export const PodDisruptionBudget = resource<PodDisruptionBudget>({ group: 'policy', version: 'v1', plural: 'poddisruptionbudgets', kind: 'PodDisruptionBudget' });

export type NetworkPolicy = Raw<V1NetworkPolicy>;
export const NetworkPolicy = resource<NetworkPolicy>({ group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies', kind: 'NetworkPolicy' });
export type Ingress = Raw<V1Ingress>;
export const Ingress = resource<Ingress>({ group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', kind: 'Ingress' });

export type Role = Raw<V1Role>;
export const Role = resource<Role>({ ...rbac, plural: 'roles', kind: 'Role' });
export type RoleBinding = Raw<V1RoleBinding>;
export const RoleBinding = resource<RoleBinding>({ ...rbac, plural: 'rolebindings', kind: 'RoleBinding' });
export type ClusterRole = Raw<V1ClusterRole>;
export const ClusterRole = resource<ClusterRole>({ ...rbac, plural: 'clusterroles', kind: 'ClusterRole', namespaced: false });

export type Lease = Raw<V1Lease>;
export const Lease = resource<Lease>({ group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' });
export type CustomResourceDefinition = Raw<V1CustomResourceDefinition>;
export const CustomResourceDefinition = resource<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
});
export type ValidatingWebhookConfiguration = Raw<V1ValidatingWebhookConfiguration>;
export const ValidatingWebhookConfiguration = resource<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
  namespaced: false,
});
