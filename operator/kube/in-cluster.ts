import { readFile } from 'node:fs/promises';
import type { CredentialSource } from './credentials.ts';

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  /** KUBERNETES_SERVICE_HOST. */
  host: string;
  /** KUBERNETES_SERVICE_PORT. */
  port: string;
  /** Where the service account is mounted. */
  mount?: string;
}

/** The service account of the pod. The kubelet replaces its token about hourly, so the files are read anew each time. */
export function inCluster({ host, port, mount = MOUNT }: InClusterOptions): CredentialSource {
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return async () => {
    const [token, ca, namespace] = await Promise.all(['token', 'ca.crt', 'namespace'].map((file) => readFile(`${mount}/${file}`, 'utf8')));
    return {
      server,
      namespace: namespace?.trim() ?? 'default',
      tls: ca === undefined ? {} : { ca },
      headers: { authorization: `Bearer ${token?.trim()}` },
    };
  };
}
