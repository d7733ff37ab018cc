import type { RouteTrigger } from '../store/route.ts';
import { claimedPath } from '../store/routes.ts';
import type { Problem } from '../runner/engine/validate.ts';
import { formPath, webhookPath } from '../operator/controllers/workflow/route.ts';
import type { Workflow } from '../operator/controllers/resources.ts';

/** The index of a cache of Workflows by the webhooks they have, as their status lists them: those that were registered, not those that lost. */
export const PATH_CLAIMS = 'path-claims';

export function pathClaims({ status }: Workflow): string[] {
  return (status?.webhooks ?? []).map(({ method, path }) => claim(method, path));
}

function claim(method: string, urlPath: string): string {
  return `${method} ${claimedPath(urlPath)}`;
}

/** The paths of a workflow that others have. `owners` finds the workflows of a claim. */
export function takenPaths(workflow: Workflow, triggers: readonly RouteTrigger[], owners: (claim: string) => readonly Workflow[]): Problem[] {
  const { name, namespace = '' } = workflow.metadata;
  return triggers.flatMap((trigger) => {
    if (trigger.kind !== 'Webhook' && trigger.kind !== 'Form') return [];
    const method = trigger.kind === 'Form' ? 'GET' : trigger.method;
    const path = trigger.kind === 'Form' ? formPath(namespace, trigger.path) : webhookPath(namespace, trigger.path);
    const owner = owners(claim(method, path)).find(({ metadata }) => metadata.name !== name);
    if (owner === undefined) return [];
    return [{
      severity: 'error', code: 'WebhookPathTaken', node: trigger.node, parameter: 'path',
      message: `${method} ${path} is taken by Workflow ${owner.metadata.name}. Choose another path, or deactivate that workflow`,
    }];
  });
}
