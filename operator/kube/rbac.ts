import type { Resource } from './resource.ts';

/** A rule of a Role or ClusterRole. Controllers declare what they need, so that the chart's roles can be generated. */
export interface PolicyRule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

const rules =
  (verbs: string[], subresource?: string) =>
  (...resources: Resource[]): PolicyRule[] =>
    resources.map(({ group, plural }) => ({ apiGroups: [group], resources: [subresource === undefined ? plural : `${plural}/${subresource}`], verbs }));

/** A cache of it. */
export const reads = rules(['get', 'list', 'watch']);
/** `apply`, `ensure`, `create` and `delete`. */
export const writes = rules(['create', 'patch', 'delete']);
/** `patch` alone, as of finalizers. */
export const patches = rules(['patch']);
export const writesStatus = rules(['patch'], 'status');
/** To be named in owner references that block deletion, where the cluster enforces that. */
export const owns = rules(['update'], 'finalizers');

export const recordsEvents: PolicyRule[] = [{ apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] }];
export const electsLeader: PolicyRule[] = [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] }];

/** The fewest rules that allow the same: one per group and set of verbs, in a stable order. */
export function mergeRules(declared: readonly PolicyRule[]): PolicyRule[] {
  const verbs = new Map<string, Set<string>>();
  for (const rule of declared) {
    for (const group of rule.apiGroups) {
      for (const resource of rule.resources) {
        const id = `${group}|${resource}`;
        verbs.set(id, new Set([...(verbs.get(id) ?? []), ...rule.verbs]));
      }
    }
  }
  const merged = new Map<string, PolicyRule>();
  for (const [id, allowed] of [...verbs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [group = '', resource = ''] = id.split('|');
    const sorted = [...allowed].sort();
    const rule = merged.get(`${group}|${sorted.join()}`);
    if (rule) rule.resources.push(resource);
    else merged.set(`${group}|${sorted.join()}`, { apiGroups: [group], resources: [resource], verbs: sorted });
  }
  return [...merged.values()];
}
