import { createHash } from 'node:crypto';
import type { Cluster } from '../../operator/kube/cluster.ts';
import { ApiError } from '../problem.ts';
import { ExpiringCache } from './expiring-cache.ts';
import { Turns } from './turns.ts';

/** Who a bearer token belongs to, as the API server says. */
export interface User {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

/** What a request needs: a verb on a resource of millrace.dev in a namespace (none: in all of them). */
export interface Access {
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'delete';
  resource: string;
  namespace?: string;
  name?: string;
}

/** Decides who may do what. Both throw ApiError: Unauthenticated or Forbidden; Unavailable when the API server does not answer. */
export interface Auth {
  authenticate(token: string): Promise<User>;
  authorize(user: User, access: Access): Promise<void>;
}

interface TokenReview {
  status?: { authenticated?: boolean; user?: User; audiences?: string[]; error?: string };
}

interface SubjectAccessReview {
  status?: { allowed?: boolean; reason?: string };
}

/** How long an answer of the API server is reused: a revoked token or Role binding stops working after at most this. */
const yesTtlMs = 10_000;
const noTtlMs = 2000;
/** Reviews that may be under way and waiting: somebody who tries tokens must not flood the API server. */
const maxReviews = { running: 16, waiting: 512 };

/**
 * Authentication by TokenReview and authorization by SubjectAccessReview. `audiences`: a token must be meant for one of them;
 * empty: for the API server itself, which is what a kubeconfig holds.
 */
export function kubernetesAuth(cluster: Pick<Cluster, 'request'>, options: { audiences: readonly string[]; now: () => number }): Auth {
  const { audiences, now } = options;
  const users = new ExpiringCache<User | undefined>({ max: 4096, now, ttlMs: (user) => (user ? yesTtlMs : noTtlMs) });
  const decisions = new ExpiringCache<boolean>({ max: 16_384, now, ttlMs: (allowed) => (allowed ? yesTtlMs : noTtlMs) });

  const turns = new Turns(maxReviews);

  async function review<T>(path: string, kind: string, spec: unknown): Promise<T> {
    const [group, version] = path.split('/').slice(2, 4);
    await turns.take();
    try {
      return await cluster.request<T>(path, { method: 'POST', body: { apiVersion: `${group}/${version}`, kind, spec }, timeoutMs: 5000 });
    } catch (error) {
      throw new ApiError('Unavailable', 'The Kubernetes API server could not check this request.', { headers: { 'retry-after': '2' }, cause: error });
    } finally {
      turns.give();
    }
  }

  async function reviewToken(token: string): Promise<User | undefined> {
    const spec = { token, ...(audiences.length > 0 ? { audiences } : {}) };
    const { status } = await review<TokenReview>('/apis/authentication.k8s.io/v1/tokenreviews', 'TokenReview', spec);
    if (!status?.authenticated || !status.user) return undefined;
    // An authenticator that knows nothing of audiences leaves them out: such a token is not for us in particular.
    if (audiences.length > 0 && !status.audiences?.some((audience) => audiences.includes(audience))) return undefined;
    return status.user;
  }

  async function reviewAccess(user: User, access: Access): Promise<boolean> {
    const { username, uid, groups, extra } = user;
    const spec = { user: username, uid, groups, extra, resourceAttributes: { group: 'millrace.dev', ...access } };
    const { status } = await review<SubjectAccessReview>('/apis/authorization.k8s.io/v1/subjectaccessreviews', 'SubjectAccessReview', spec);
    return status?.allowed === true;
  }

  return {
    async authenticate(token) {
      // Only a digest is kept: a heap dump of the cache shows no token.
      const digest = createHash('sha256').update(token).digest('base64');
      const user = await users.get(digest, () => reviewToken(token));
      if (!user) throw new ApiError('Unauthenticated', 'The token is not valid or has expired.', { headers: { 'www-authenticate': 'Bearer error="invalid_token"' } });
      return user;
    },

    async authorize(user, access) {
      if (await decisions.get(JSON.stringify([user, access]), () => reviewAccess(user, access))) return;
      const where = access.namespace === undefined ? 'in all namespaces' : `in namespace ${access.namespace}`;
      throw new ApiError('Forbidden', `${user.username} may not ${access.verb} ${access.resource}.millrace.dev ${where}.`);
    },
  };
}
