import type { Cluster } from '../../operator/kube/cluster.ts';
import { KubeError } from '../../operator/kube/errors.ts';
import type { Log } from '../../operator/kube/log.ts';
import type { CredentialReference } from '../../runner/nodes/webhook/caller-credential.ts';
import { ApiError } from '../problem.ts';

/** Says what a Secret may be used for: without it, whoever may write Workflows could try out any Secret of the namespace. */
export const credentialTypeLabel = 'millrace.dev/credential-type';

/** The fields of a credential, decoded. */
export type Credential = Readonly<Record<string, string>>;

/** Reads credentials of webhooks. Throws ApiError CredentialUnavailable; why is in the log alone, callers are strangers. */
export type Credentials = (namespace: string, reference: CredentialReference) => Promise<Credential>;

interface Secret {
  metadata?: { labels?: Record<string, string> };
  data?: Record<string, string>;
}

interface Known {
  /** Undefined: it may not be used, or is not there. */
  value: Credential | undefined;
  readAt: number;
}

/** How long what was read is used without asking again: a changed or deleted Secret takes effect after this. */
const freshMs = 10_000;
/** How long it is used while the API server does not answer: webhooks go on without it. */
const staleMs = 3_600_000;
const maxKnown = 4096;

/** Secrets by `get` of the API server: only those that the api's service account was given, and that carry the label. */
export function secretCredentials({ cluster, log, monotonic }: { cluster: Pick<Cluster, 'request'>; log: Log; monotonic: () => number }): Credentials {
  const known = new Map<string, Known>();
  const reading = new Map<string, Promise<Known>>();

  async function read(key: string, namespace: string, { type, secret }: CredentialReference): Promise<Known> {
    const before = known.get(key);
    let value: Credential | undefined;
    try {
      const found = await cluster.request<Secret>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(secret)}`, { timeoutMs: 5000 });
      if (found.metadata?.labels?.[credentialTypeLabel] === type) value = decoded(found);
      else log.warn({ namespace, secret, type, label: credentialTypeLabel }, 'A webhook names a Secret that is not labeled as a credential of its type');
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      const answered = error.status === 403 || error.status === 404;
      log.warn({ namespace, secret, type, reason: error.reason }, 'Could not read the credential of a webhook');
      if (!answered) {
        if (before && monotonic() - before.readAt < staleMs) return before;
        throw unavailable();
      }
    }
    const entry = { value, readAt: monotonic() };
    known.delete(key);
    known.set(key, entry);
    const oldest = known.keys().next();
    if (known.size > maxKnown && oldest.done === false) known.delete(oldest.value);
    return entry;
  }

  return async (namespace, reference) => {
    const key = `${namespace}/${reference.type}/${reference.secret}`;
    let entry = known.get(key);
    if (!entry || monotonic() - entry.readAt >= freshMs) {
      const started = reading.get(key) ?? read(key, namespace, reference).finally(() => reading.delete(key));
      reading.set(key, started);
      entry = await started;
    }
    if (entry.value) return entry.value;
    throw unavailable();
  };
}

function decoded({ data = {} }: Secret): Credential {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')]));
}

function unavailable(): ApiError {
  return new ApiError('CredentialUnavailable', 'What callers have to present cannot be checked.', { headers: { 'retry-after': '10' } });
}
