import { durationMs } from '../../../crds/duration.ts';
import type { RegisteredWebhook, WorkflowSpec } from '../../../crds/workflow.ts';
import { LimitPolicy, type Limits } from '../../../store/limits.ts';
import { isolatedPool } from '../../../store/pool-name.ts';
import type { Route, RouteSpec, RouteTrigger } from '../../../store/route.ts';
import { Keep } from '../../../store/route.ts';
import { claimsOf } from '../../../store/routes.ts';
import { sameJson } from '../../kube/index.ts';
import type { Workflow } from '../resources.ts';

export const DEFAULT_POOL = 'default';
const DEFAULT_PRIORITY = 5;

/** The row that decides for new executions of a workflow. */
export function routeOf({ metadata, spec }: Workflow, revision: string, triggers: readonly RouteTrigger[]): RouteSpec {
  const { runnerPool = DEFAULT_POOL, isolation, priority = DEFAULT_PRIORITY, timeout, save } = spec.settings ?? {};
  const limits = limitsOf(spec.settings);
  return {
    namespace: metadata.namespace ?? '',
    workflow: metadata.name,
    uid: metadata.uid ?? '',
    active: spec.active === true,
    stable: revision,
    pool: isolation === 'pod' ? isolatedPool(runnerPool) : runnerPool,
    priority,
    ...(timeout === undefined ? {} : { timeoutMs: durationMs(timeout) }),
    save: { success: save?.success ?? Keep.All, failure: save?.failure ?? Keep.All },
    ...(limits === undefined ? {} : { limits }),
    triggers,
  };
}

function limitsOf({ concurrency, rateLimit, deduplicationWindow }: NonNullable<WorkflowSpec['settings']> = {}): Limits | undefined {
  if (concurrency === undefined && rateLimit === undefined && deduplicationWindow === undefined) return undefined;
  return {
    ...(concurrency && { concurrency: { policy: LimitPolicy.Queue, ...concurrency } }),
    ...(rateLimit && { rateLimit: rateOf(rateLimit) }),
    ...(deduplicationWindow !== undefined && { idempotencyWindowMs: durationMs(deduplicationWindow) }),
  };
}

function rateOf({ per, ...rest }: NonNullable<NonNullable<WorkflowSpec['settings']>['rateLimit']>): NonNullable<Limits['rateLimit']> {
  return { policy: LimitPolicy.Queue, ...rest, perMs: Math.max(1, durationMs(per)) };
}

/** Whether the route in force is already what is wanted. */
export function isInForce(route: Route | undefined, wanted: RouteSpec): boolean {
  return route !== undefined && sameJson(route, { ...wanted, weight: wanted.weight ?? 0, epoch: route.epoch });
}

/** Whether all paths that are wanted belong to this workflow already, so that no other one can be in the way. */
export function holdsPaths(inForce: Route | undefined, wanted: RouteSpec): boolean {
  const held = new Set((inForce === undefined ? [] : claimsOf(inForce)).map(({ method, path }) => `${method} ${path}`));
  return claimsOf(wanted).every(({ method, path }) => held.has(`${method} ${path}`));
}

/** URL path of a webhook, below the address of the installation. The namespace in it keeps teams apart. */
export function webhookPath(namespace: string, path: string): string {
  return `/webhook/${namespace}/${path}`;
}

/** URL path of a form. */
export function formPath(namespace: string, path: string): string {
  return `/form/${namespace}/${path}`;
}

/** The active webhooks and forms, as the status lists them. */
export function registeredWebhooks({ active, namespace, triggers }: RouteSpec): RegisteredWebhook[] {
  if (!active) return [];
  return triggers.flatMap((trigger) => {
    if (trigger.kind === 'Form') return [{ node: trigger.node, method: 'GET', path: formPath(namespace, trigger.path) }];
    return trigger.kind === 'Webhook' ? [{ node: trigger.node, method: trigger.method, path: webhookPath(namespace, trigger.path) }] : [];
  });
}
