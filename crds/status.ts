import * as z from 'zod';
import { listMap } from './list.ts';

/** metav1.Condition. */
export const condition = z.strictObject({
  type: z.string().max(316).describe('What the condition is about, such as Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().min(1).max(1024).regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/).describe('Stable CamelCase code of why it has this status.'),
  message: z.string().max(32_768).describe('What happened and what to do next, for people.'),
  lastTransitionTime: z.string().meta({ format: 'date-time' }).describe('When the status last changed.'),
  observedGeneration: z.int().min(0).describe('The metadata.generation this was judged on.').exactOptional(),
}).describe('One aspect of the state.');

/** What every kind reports; kstatus, Flux, Helm, Argo CD and `kubectl wait` judge health by it. */
export const commonStatus = {
  observedGeneration: z.int().meta({ format: 'int64' }).describe('The metadata.generation that this status describes; -1 until the operator has seen the object.').exactOptional(),
  conditions: listMap(condition, ['type'], 16)
    .describe('Ready says whether the object does what its spec asks; Reconciling and Stalled are present only while true.').exactOptional(),
  lastHandledReconcileAt: z.string().max(256)
    .describe('Value of the reconcile request annotation (millrace.dev/reconcile-requested-at or reconcile.fluxcd.io/requestedAt) that was handled last.').exactOptional(),
};

/** A moment, RFC 3339. */
export const timestamp = z.string().meta({ format: 'date-time' });
