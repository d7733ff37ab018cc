import type { WorkflowDefinition } from '../../../runner/engine/workflow.ts';
import { claimedPath } from '../../../store/routes.ts';
import type { RouteConflict, RouteSpec } from '../../../store/route.ts';
import type { Store } from '../../../store/store.ts';
import { StalledError } from '../../kube/index.ts';
import type { Key } from '../../kube/index.ts';
import type { RouteMirror } from './route-mirror.ts';
import { holdsPaths, isInForce, webhookPath } from './route.ts';

export interface PublishContext {
  store: Pick<Store, 'routes'>;
  mirror: RouteMirror;
  key: Key;
  /** Brings the copies in the cluster up to date; needed whether or not the route changes. */
  copy(): Promise<void>;
}

/**
 * Stores the revision and puts the route in force, in one transaction, and has the copy made. Resolves, when all of that is there, to whether the
 * route changed. Asks nothing of the store when the mirror already shows it: a route cannot name a revision that is not stored. Throws StalledError
 * WebhookPathTaken.
 *
 * The copy is made at the same time, except where another workflow may be in the way: what is refused has no copy. Should only one of the two come
 * about, the next pass finds what is missing, since it compares each with the spec.
 */
export async function publish(route: RouteSpec, definition: WorkflowDefinition, { store, mirror, key, copy }: PublishContext): Promise<boolean> {
  const inForce = mirror.get(key);
  if (isInForce(inForce, route)) {
    await copy();
    return false;
  }
  if (holdsPaths(inForce, route)) return await both(apply(), copy());
  const changed = await apply();
  await copy();
  return changed;

  async function apply(): Promise<boolean> {
    const { changed: applied, epoch, conflicts } = await store.routes.apply(route, definition);
    if (conflicts.length > 0) throw new StalledError('WebhookPathTaken', { message: describeConflicts(route, conflicts) });
    mirror.put(key, { ...route, weight: route.weight ?? 0, epoch });
    return applied;
  }
}

/** Ends when both have ended, however: nothing may go on behind a pass. Of two failures the first one's counts. */
async function both<T>(first: Promise<T>, second: Promise<void>): Promise<T> {
  await Promise.allSettled([first, second]);
  const result = await first;
  await second;
  return result;
}

/** The store names paths in the form that it compares; people know them as they wrote them. */
function describeConflicts({ namespace, triggers }: RouteSpec, conflicts: readonly RouteConflict[]): string {
  const taken = conflicts.map(({ method, path, owner }) => {
    const own = triggers.find((trigger) => trigger.kind === 'Webhook' && trigger.method === method && claimedPath(trigger.path) === path);
    return `${method} ${webhookPath(namespace, own?.kind === 'Webhook' ? own.path : path)} is taken by Workflow ${owner.workflow}`;
  });
  return `${taken.join('; ')}: choose another path, or deactivate that workflow`;
}
