import { z } from 'zod';
import { KubeError } from './errors.ts';

/** metav1.Status, which the API server sends for every failure, also inside a watch. */
const Status = z.object({
  message: z.string().optional(),
  reason: z.string().optional(),
  code: z.number().optional(),
  details: z.object({ retryAfterSeconds: z.number().optional() }).optional(),
});

/** Reasons by HTTP status, for answers that come from a proxy and not from the API server. */
const REASONS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

export interface Failure {
  /** HTTP status of the answer; 0 inside a watch. */
  status: number;
  body: unknown;
  /** The Retry-After header. */
  retryAfter?: string | undefined;
  /** What was asked, such as "PATCH /api/v1/…"; starts the message. */
  request: string;
}

export function statusError({ status, body, retryAfter, request }: Failure): KubeError {
  const parsed = Status.safeParse(body);
  const answer = parsed.success ? parsed.data : {};
  const code = status === 0 ? (answer.code ?? 500) : status;
  const reason = answer.reason === undefined || answer.reason === '' ? (REASONS[code] ?? `Http${code}`) : answer.reason;
  return new KubeError({
    status: code,
    reason,
    message: `${request}: ${answer.message ?? reason}`,
    retryAfterMs: retryAfterMs(retryAfter) ?? seconds(answer.details?.retryAfterSeconds),
  });
}

/** Only the form in seconds: the API server sends no other. */
function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header) ? seconds(Number(header)) : undefined;
}

function seconds(value: number | undefined): number | undefined {
  return value === undefined || value <= 0 ? undefined : value * 1000;
}
