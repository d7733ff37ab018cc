import type { Cluster } from '../operator/kube/cluster.ts';
import { KubeError, TransportReason } from '../operator/kube/errors.ts';
import type { Log } from '../operator/kube/log.ts';
import { credentialReader, type CredentialReader, type CredentialReaderDeps } from '../service/secret-credentials.ts';

export interface ClusterCredentials {
  read: CredentialReader;
  close(): Promise<void>;
}

/**
 * Credentials from the cluster that the process runs in or that KUBECONFIG names. It is connected to when the first credential is read, so
 * that a runner whose workflows need none never talks to it, nor holds the code for it in memory.
 */
export function clusterCredentials(log: Log, onRead: NonNullable<CredentialReaderDeps['onRead']>): ClusterCredentials {
  let opening: Promise<Cluster> | undefined;

  async function open(): Promise<Cluster> {
    try {
      const { connect } = await import('../operator/kube/connection.ts');
      return await connect({ log, userAgent: 'millrace-runner' });
    } catch (cause) {
      opening = undefined;
      throw new KubeError({ status: 0, reason: TransportReason.Credentials, message: 'the runner has no access to a cluster', cause });
    }
  }

  const cluster: Pick<Cluster, 'request'> = {
    async request<T>(...asked: Parameters<Cluster['request']>) {
      return await (await (opening ??= open())).request<T>(...asked);
    },
  };
  return {
    read: credentialReader({ cluster, log, monotonic: () => performance.now(), onRead }),
    close: async () => {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}
