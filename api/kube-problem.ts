import { KubeError } from '../operator/kube/errors.ts';
import { ApiError } from './problem.ts';
import type { ProblemCode } from './problem.ts';

const codes: Record<number, ProblemCode> = { 400: 'ObjectRefused', 403: 'Forbidden', 404: 'ObjectNotFound', 409: 'ObjectConflict', 413: 'ObjectRefused', 415: 'ObjectRefused', 422: 'ObjectRefused', 429: 'TooManyRequests' };

/** What the API server refused, in its own words; everything else is its being away. */
export function kubeProblem(error: unknown): unknown {
  if (!(error instanceof KubeError)) return error;
  const code = codes[error.status];
  if (code === undefined) return new ApiError('Unavailable', 'The Kubernetes API server did not answer.', { headers: { 'retry-after': '2' }, cause: error });
  // The message begins with the request, which is ours and not the caller's.
  const message = error.message.replace(/^[A-Z]+ \S+: /, '');
  return new ApiError(code, `${message}${message.endsWith('.') ? '' : '.'}`, { ...(code === 'TooManyRequests' ? { headers: { 'retry-after': '2' } } : {}), cause: error });
}
