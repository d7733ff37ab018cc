import { GROUP, VERSION } from './group.ts';
import type { KindDefinition } from './kind.ts';
import type { StructuralSchema } from './structural.ts';
import { toStructural } from './structural.ts';

/** The apiextensions.k8s.io/v1 CustomResourceDefinition of a kind, as plain JSON. */
export function definitionOf(kind: KindDefinition) {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = kind.scale ?? {};
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: kind.kind, listKind: `${kind.kind}List`, plural: kind.plural, singular: kind.singular,
        shortNames: [...kind.shortNames], categories: ['millrace'],
      },
      versions: [{
        name: VERSION,
        served: true,
        storage: true,
        subresources: {
          status: {},
          ...(kind.scale === undefined ? {} : { scale: { specReplicasPath, statusReplicasPath, labelSelectorPath } }),
        },
        additionalPrinterColumns: kind.columns.map((column) => ({ ...column })),
        schema: { openAPIV3Schema: schemaOf(kind) },
      }],
    },
  };
}

function schemaOf(kind: KindDefinition): StructuralSchema {
  return {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
      kind: { type: 'string', description: 'Kind of this object.' },
      metadata: { type: 'object' },
      spec: toStructural(kind.spec),
      status: toStructural(kind.status),
    },
    ...(kind.rules === undefined ? {} : { 'x-kubernetes-validations': kind.rules.map((rule) => ({ ...rule })) }),
  };
}
