import { readFile } from 'node:fs/promises';

import type { KeyPair } from './certificates.ts';

/** Everything a client needs to reach one cluster as one user; certificates and keys are base64 of PEM. */
export interface ClusterAccess {
  /** Name of cluster, user and context alike. */
  readonly name: string;
  readonly server: string;
  readonly certificateAuthority: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly namespace?: string;
}

/** A kubeconfig with one context. JSON, which every reader of kubeconfigs takes, as JSON is YAML. */
export function kubeconfig(access: ClusterAccess): string {
  const { name } = access;
  const namespace = access.namespace === undefined ? {} : { namespace: access.namespace };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: access.server, 'certificate-authority-data': access.certificateAuthority } }],
    users: [{ name, user: { 'client-certificate-data': access.clientCertificate, 'client-key-data': access.clientKey } }],
    contexts: [{ name, context: { cluster: name, user: name, ...namespace } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** A kubeconfig from PEM files: the authority's certificate and the client's pair. */
export async function kubeconfigFor(access: { name: string; server: string; ca: string; client: KeyPair }): Promise<string> {
  const { name, server, ca, client } = access;
  const read = (path: string): Promise<string> => readFile(path, 'base64');
  const [certificateAuthority, clientCertificate, clientKey] = await Promise.all([read(ca), read(client.cert), read(client.key)]);
  return kubeconfig({ name, server, certificateAuthority, clientCertificate, clientKey });
}
