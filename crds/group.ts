/** The API group of every Millrace kind. */
export const GROUP = 'millrace.dev';
/** The version that is stored and served. */
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** Annotation that asks for a reconcile now; its value is echoed in `status.lastHandledReconcileAt`. */
export const RECONCILE_REQUEST = `${GROUP}/reconcile-requested-at`;
/** Flux's annotation for the same; honoured so that Flux's tooling works on our kinds. */
export const FLUX_RECONCILE_REQUEST = 'reconcile.fluxcd.io/requestedAt';
