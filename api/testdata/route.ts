import type { JsonObject } from '../../runner/engine/item.ts';
import type { Route, RouteSpec, RouteTrigger, WebhookTrigger } from '../../store/route.ts';

/** A route of namespace `shop` for tests. */
export function route(workflow: string, triggers: readonly RouteTrigger[], changes: Partial<RouteSpec> = {}): Route {
  return {
    namespace: 'shop', workflow, uid: `uid-${workflow}`, active: true, stable: '0'.repeat(64), weight: 0, pool: 'default', priority: 5,
    save: { success: 'All', failure: 'All' }, epoch: 1, triggers, ...changes,
  };
}

export function webhookTrigger(method: string, path: string, changes: Partial<WebhookTrigger> & { options?: JsonObject } = {}): WebhookTrigger {
  return { kind: 'Webhook', node: 'Hook', method, path, responseMode: 'lastNode', options: {}, ...changes };
}
