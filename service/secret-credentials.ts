import type { Cluster } from '../operator/kube/cluster.ts';
import { KubeError } from '../operator/kube/errors.ts';
import type { Log } from '../operator/kube/log.ts';
import { credentialTypeLabel, type CredentialReference } from '../runner/engine/credential.ts';

/** The fields of a credential, decoded. */
export type Credential = Readonly<Record<string, string>>;

/** Why there are no fields. Unlabeled is a Secret that is none of the wanted type: tell it as NotFound to whoever may not read Secrets. */
export const Refusal = { NotFound: 'NotFound', Unlabeled: 'Unlabeled', NotGranted: 'NotGranted', Unavailable: 'Unavailable' } as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

export type CredentialRead = { fields: Credential } | { refused: Refusal };

/** Reads credentials of a namespace. Never rejects because of the API server: `Unavailable` says it. */
export type CredentialReader = (namespace: string, reference: CredentialReference) => Promise<CredentialRead>;

interface Secret {
  metadata?: { labels?: Record<string, string> };
  data?: Record<string, string>;
}

interface Known {
  read: CredentialRead;
  at: number;
}

export interface CredentialReaderDeps {
  cluster: Pick<Cluster, 'request'>;
  log: Pick<Log, 'warn'>;
  monotonic(): number;
  /** Told how each question to the API server ended. */
  onRead?(result: 'Read' | Refusal): void;
}

/** How long what was read is used without asking again: a changed or deleted Secret takes effect after this. */
const FRESH_MS = 10_000;
/** How long it is used while the API server does not answer: work goes on without it. */
const STALE_MS = 3_600_000;
const MAX_KNOWN = 4096;

/** Secrets by `get` of the API server: only those that the process's service account was given, and that carry the label. */
export function credentialReader({ cluster, log, monotonic, onRead }: CredentialReaderDeps): CredentialReader {
  const known = new Map<string, Known>();
  const reading = new Map<string, Promise<Known>>();

  async function ask(namespace: string, { type, secret }: CredentialReference): Promise<CredentialRead> {
    try {
      const found = await cluster.request<Secret>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(secret)}`, { timeoutMs: 5000 });
      if (found.metadata?.labels?.[credentialTypeLabel] === type) return { fields: decoded(found) };
      log.warn({ namespace, secret, type, label: credentialTypeLabel }, 'Refused a Secret that is not labeled as a credential of its type');
      return { refused: Refusal.Unlabeled };
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      log.warn({ namespace, secret, type, reason: error.reason }, 'Failed to read a credential');
      if (error.status === 404) return { refused: Refusal.NotFound };
      return { refused: error.status === 403 ? Refusal.NotGranted : Refusal.Unavailable };
    }
  }

  async function refresh(key: string, ...wanted: Parameters<CredentialReader>): Promise<Known> {
    const read = await ask(...wanted);
    onRead?.('fields' in read ? 'Read' : read.refused);
    if ('refused' in read && read.refused === Refusal.Unavailable) {
      const before = known.get(key);
      return before && monotonic() - before.at < STALE_MS ? before : { read, at: 0 };
    }
    const entry = { read, at: monotonic() };
    known.delete(key);
    known.set(key, entry);
    const oldest = known.keys().next();
    if (known.size > MAX_KNOWN && oldest.done === false) known.delete(oldest.value);
    return entry;
  }

  return async (namespace, reference) => {
    const key = `${namespace}/${reference.type}/${reference.secret}`;
    const entry = known.get(key);
    if (entry && monotonic() - entry.at < FRESH_MS) return entry.read;
    const started = reading.get(key) ?? refresh(key, namespace, reference).finally(() => reading.delete(key));
    reading.set(key, started);
    return (await started).read;
  };
}

function decoded({ data = {} }: Secret): Credential {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')]));
}
