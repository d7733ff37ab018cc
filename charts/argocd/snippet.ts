import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifact } from '../../crds/artifacts.ts';
import { toYaml } from '../../crds/artifacts.ts';
import { GROUP } from '../../crds/group.ts';
import { kinds } from '../../crds/kinds.ts';

/** One script serves every kind: they all report their health in the same conditions. */
export const healthScript = readFileSync(join(import.meta.dirname, 'health.lua'), 'utf8');

/** The script where Argo CD looks for it, kind by kind, and as a patch of the ConfigMap argocd-cm. */
export function argoArtifacts(): Artifact[] {
  const data = Object.fromEntries(kinds.map(({ kind }) => [`resource.customizations.health.${GROUP}_${kind}`, healthScript]));
  return [
    ...kinds.map(({ kind }) => ({ path: `charts/argocd/resource_customizations/${GROUP}/${kind}/health.lua`, content: `-- Generated from charts/argocd/health.lua. Do not edit.\n${healthScript}` })),
    { path: 'charts/argocd/argocd-cm.yaml', content: `# Generated from charts/argocd/health.lua. Do not edit.\n${toYaml({ data })}` },
  ];
}
