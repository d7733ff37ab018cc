import { FLUX_RECONCILE_REQUEST, RECONCILE_REQUEST } from '../../crds/group.ts';
import type { AnyObject } from '../kube/index.ts';

/**
 * Value of the annotation that asks for a reconcile, to be echoed in `status.lastHandledReconcileAt`: ours or Flux's, whichever is
 * later (both hold times). Nothing when nobody asked.
 */
export function reconcileRequest({ metadata }: AnyObject): { lastHandledReconcileAt?: string } {
  const asked = [RECONCILE_REQUEST, FLUX_RECONCILE_REQUEST].flatMap((name) => metadata.annotations?.[name] ?? []).sort().at(-1);
  return asked === undefined ? {} : { lastHandledReconcileAt: asked };
}
