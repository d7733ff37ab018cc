import { credentialTypeLabel, secretName } from '../engine/credential.ts';
import { WorkflowError } from '../engine/error.ts';
import type { JsonObject } from '../engine/item.ts';
import type { WorkflowDefinition, WorkflowNode } from '../engine/workflow.ts';
import { Refusal, type CredentialReader } from '../../service/secret-credentials.ts';

const KNOWN_REVISIONS = 500;

/** By node. */
type References = ReadonlyMap<string, WorkflowNode['credentials']>;

/**
 * Gives nodes the credentials that they name: an executor says which node it is for, the stored revision says which credential that is.
 * What Secrets hold is kept by the reader alone, in memory and for a short time.
 */
export class NodeCredentials {
  readonly #revisions: { get(revision: string): Promise<WorkflowDefinition | undefined> };
  readonly #read: CredentialReader;
  readonly #known = new Map<string, Promise<References>>();

  constructor(revisions: { get(revision: string): Promise<WorkflowDefinition | undefined> }, read: CredentialReader) {
    this.#revisions = revisions;
    this.#read = read;
  }

  /** Rejects with CredentialNotAllowed, CredentialNotFound, CredentialNotGranted or CredentialUnavailable; none says more than names. */
  async of(namespace: string, { revision, node, type }: { revision: string; node: string; type: string }): Promise<JsonObject> {
    const credentials = (await this.#references(revision)).get(node) ?? {};
    const name = Object.hasOwn(credentials, type) ? credentials[type]?.name : undefined;
    if (name === undefined) throw new WorkflowError('CredentialNotAllowed', `'${node}' names no credential of type '${type}'. Choose one in the node's settings.`, { nonRetryable: true });
    const secret = secretName(name);
    if (secret === '') throw notFound(namespace, name, type);
    const found = await this.#read(namespace, { type, secret });
    if ('fields' in found) return found.fields;
    switch (found.refused) {
      case Refusal.NotGranted: throw new WorkflowError('CredentialNotGranted', `Namespace '${namespace}' does not let the runners read its credentials. Grant it with the chart's runner.credentialNamespaces, or with a RoleBinding to their ServiceAccount.`);
      case Refusal.Unavailable: throw new WorkflowError('CredentialUnavailable', `The credential '${secret}' could not be read, because the runner does not reach the Kubernetes API server. Try again; if it stays so, look at the network policies of the pool.`);
      default: throw notFound(namespace, secret, type);
    }
  }

  #references(revision: string): Promise<References> {
    const known = this.#known.get(revision);
    if (known) return known;
    const loading = this.#load(revision);
    this.#known.set(revision, loading);
    loading.catch(() => this.#known.delete(revision));
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_REVISIONS && oldest !== undefined) this.#known.delete(oldest);
    return loading;
  }

  async #load(revision: string): Promise<References> {
    const definition = await this.#revisions.get(revision);
    if (!definition) throw new WorkflowError('RevisionNotFound', `Revision ${revision} is not in the store any more.`);
    return new Map(definition.nodes.map(({ name, credentials }) => [name, credentials]));
  }
}

/** A Secret that is there without the label is told as none: else workflows could be used to find out what Secrets there are. */
function notFound(namespace: string, secret: string, type: string): WorkflowError {
  return new WorkflowError('CredentialNotFound', `There is no Secret '${secret}' with the label ${credentialTypeLabel}=${type} in namespace '${namespace}'. Create it, or name another credential.`, { nonRetryable: true });
}
