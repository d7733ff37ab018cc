import { stringify } from 'yaml';
import { definitionOf } from './definition.ts';
import type { KindDefinition } from './kind.ts';
import { GROUP } from './group.ts';

const HEADER = '# Generated from crds/ by `npm run generate`. Do not edit.\n';

/** YAML as every generated file is written: no line folding, no aliases. */
export function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** A generated text: where it stands, from the root of the repository, and what is in it. */
export interface Artifact {
  path: string;
  content: string;
}

/** Plain YAML for `kubectl apply --server-side -f crds/generated` and for tests. */
export function plainDefinition(kind: KindDefinition): Artifact {
  return { path: `crds/generated/${GROUP}_${kind.plural}.yaml`, content: HEADER + toYaml(definitionOf(kind)) };
}

/**
 * The same as a Helm template: installed and upgraded with the release when `crds.install` is set, kept on uninstall so
 * that removing the release never removes anybody's workflows.
 */
export function chartDefinition(kind: KindDefinition): Artifact {
  const definition = definitionOf(kind);
  const annotated = {
    ...definition,
    metadata: { ...definition.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } },
  };
  const body = escapeTemplate(toYaml(annotated));
  return {
    path: `charts/millrace/templates/crds/${kind.plural}.yaml`,
    content: `{{- /* Generated from crds/ by \`npm run generate\`. Do not edit. */ -}}\n{{- if .Values.crds.install }}\n${body}{{- end }}\n`,
  };
}

/** Text that Helm prints as it stands. */
export function escapeTemplate(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}
