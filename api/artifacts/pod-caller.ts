import type { IncomingMessage } from 'node:http';
import { podName } from '../../store/pod-steps.ts';
import type { PodStep, PodSteps } from '../../store/pod-steps.ts';
import type { Auth } from '../auth/kubernetes-auth.ts';
import { ApiError } from '../problem.ts';

const POD_NAME = 'authentication.kubernetes.io/pod-name';

export interface PodCallerOptions {
  /** Takes tokens for artifacts of this installation alone. */
  auth: Pick<Auth, 'authenticate'>;
  steps: Pick<PodSteps, 'get'>;
}

/**
 * The step that the calling pod is the current try of. Its token says which pod it was given to, and the pod's name says the rest: nobody names
 * a step of another. Throws ApiError Unauthenticated, Unavailable or ArtifactRefused.
 */
export async function stepOfCaller(request: IncomingMessage, { auth, steps }: PodCallerOptions): Promise<PodStep> {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new ApiError('Unauthenticated', 'There is no bearer token.', { headers: { 'www-authenticate': 'Bearer' } });
  const { username, extra } = await auth.authenticate(token);
  const namespace = /^system:serviceaccount:([^:]+):[^:]+$/.exec(username)?.[1];
  const pod = extra?.[POD_NAME]?.[0] ?? '';
  const id = /-([0-9a-f]{20})-\d+$/.exec(pod)?.[1];
  const step = id === undefined ? undefined : await steps.get(id);
  if (!step || step.namespace !== namespace || podName(step) !== pod || step.isOver || step.abandoned) {
    throw new ApiError('ArtifactRefused', 'No unfinished step runs in this pod.');
  }
  return step;
}
