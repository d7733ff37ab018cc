import type { WorkflowDefinition } from '../../../runner/engine/workflow.ts';
import { revisionOf } from '../../../store/revisions.ts';
import { claimedPath } from '../../../store/routes.ts';
import type { RouteConflict, RouteSpec, RouteTrigger } from '../../../store/route.ts';
import type { Store } from '../../../store/store.ts';
import { StalledError } from '../../kube/index.ts';
import type { Key } from '../../kube/index.ts';
import type { Workflow } from '../resources.ts';
import type { RouteMirror } from './route-mirror.ts';
import { isInForce, routeOf, webhookPath } from './route.ts';

export interface Published {
  route: RouteSpec;
  changed: boolean;
}

/**
 * Stores the revision and puts the route in force, in one transaction. Asks nothing of the store when the mirror already shows both: a route
 * cannot name a revision that is not stored. Throws StalledError WebhookPathTaken.
 */
export async function publish(workflow: Workflow, definition: WorkflowDefinition, triggers: readonly RouteTrigger[], { store, mirror, key }: PublishContext): Promise<Published> {
  const route = routeOf(workflow, revisionOf(definition), triggers);
  if (isInForce(mirror.get(key), route)) return { route, changed: false };
  const { changed, epoch, conflicts } = await store.routes.apply(route, definition);
  if (conflicts.length > 0) throw new StalledError('WebhookPathTaken', { message: describeConflicts(route, conflicts) });
  mirror.put(key, { ...route, weight: route.weight ?? 0, epoch });
  return { route, changed };
}

export interface PublishContext {
  store: Pick<Store, 'routes'>;
  mirror: RouteMirror;
  key: Key;
}

/** The store names paths in the form that it compares; people know them as they wrote them. */
function describeConflicts({ namespace, triggers }: RouteSpec, conflicts: readonly RouteConflict[]): string {
  const taken = conflicts.map(({ method, path, owner }) => {
    const own = triggers.find((trigger) => trigger.kind === 'Webhook' && trigger.method === method && claimedPath(trigger.path) === path);
    return `${method} ${webhookPath(namespace, own?.kind === 'Webhook' ? own.path : path)} is taken by Workflow ${owner.workflow}`;
  });
  return `${taken.join('; ')}: choose another path, or deactivate that workflow`;
}
