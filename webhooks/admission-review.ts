import * as z from 'zod';
import { Workflow } from '../operator/controllers/resources.ts';

/** The part of admission.k8s.io/v1 AdmissionReview that we read. */
const review = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: z.string().min(1),
    operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
    kind: z.object({ group: z.string(), version: z.string(), kind: z.string() }),
    object: z.looseObject({ metadata: z.looseObject({}), spec: z.unknown() }).nullish(),
  }),
});

export type AdmissionRequest = z.infer<typeof review>['request'];

export interface Verdict {
  allowed: boolean;
  /** Why not, and what to do. */
  message?: string;
  /** Shown to whoever applied the object, whether or not it was allowed. */
  warnings: string[];
}

/** Throws an Error when the text is no AdmissionReview of the version that our configuration asks for. */
export function readReview(text: string): AdmissionRequest {
  const parsed = review.safeParse(JSON.parse(text));
  if (!parsed.success) throw new TypeError(`not an AdmissionReview: ${z.prettifyError(parsed.error)}`);
  return parsed.data.request;
}

/** API servers cut longer lists. */
const MAX_WARNINGS = 10;
const MAX_WARNING = 256;

export function answerReview(uid: string, { allowed, message, warnings }: Verdict): object {
  const shown = warnings.slice(0, MAX_WARNINGS).map((warning) => (warning.length > MAX_WARNING ? `${warning.slice(0, MAX_WARNING - 1)}…` : warning));
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed,
      ...(message === undefined ? {} : { status: { code: 422, reason: 'Invalid', message } }),
      ...(shown.length === 0 ? {} : { warnings: shown }),
    },
  };
}

/** The Workflow of a request; the API server has checked it against the schema before. Undefined for another kind and for deletions. */
export function admittedWorkflow({ kind, object }: AdmissionRequest): Workflow | undefined {
  return kind.kind === Workflow.kind && object ? (object as unknown as Workflow) : undefined;
}
