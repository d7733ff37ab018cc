import { resource } from '../../operator/kube/index.ts';
import type { KubeObject } from '../../operator/kube/index.ts';

/** A kind for the tests of operator/kube, with everything a kind of ours has: status subresource, conditions as a list-map, -1 by default. */
export type Widget = KubeObject<{ size?: number; suspend?: boolean; ballast?: unknown }, { seen?: number }>;
export const Widget = resource<Widget>({ group: 'example.dev', version: 'v1', plural: 'widgets', kind: 'Widget' });

/** The CustomResourceDefinition of Widget, or of a kind just like it. */
export function definition(plural = 'widgets', kind = 'Widget'): object {
  const condition = {
    type: 'object',
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      ...Object.fromEntries(['type', 'status', 'reason', 'message', 'lastTransitionTime'].map((name) => [name, { type: 'string' }])),
      observedGeneration: { type: 'integer', format: 'int64' },
    },
  };
  const status = {
    type: 'object',
    default: { observedGeneration: -1 },
    'x-kubernetes-preserve-unknown-fields': true,
    properties: {
      observedGeneration: { type: 'integer', format: 'int64' },
      conditions: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'], items: condition },
    },
  };
  const spec = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.dev` },
    spec: {
      group: 'example.dev',
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind },
      versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: { type: 'object', properties: { spec, status } } } }],
    },
  };
}
