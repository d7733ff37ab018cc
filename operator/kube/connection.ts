import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inCluster } from './in-cluster.ts';
import { kubeconfig } from './kubeconfig.ts';
import { silentLog } from './log.ts';
import { systemClock } from './system-clock.ts';
import { Transport } from './transport.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { CredentialSource } from './credentials.ts';
import type { Log } from './log.ts';

export type { Cluster } from './cluster.ts';

export interface ConnectOptions {
  /** A kubeconfig file. Default: $KUBECONFIG, then the pod's service account, then ~/.kube/config. */
  kubeconfig?: string | undefined;
  /** A context of the kubeconfig. Default: its current one. */
  context?: string | undefined;
  /** Instead of the two above. */
  credentials?: CredentialSource;
  userAgent?: string;
  log?: Log;
  clock?: Clock;
  env?: NodeJS.ProcessEnv;
}

/** Opens a pooled connection to a cluster. Throws when no credentials can be found or read; the server itself is not asked. */
export async function connect(options: ConnectOptions = {}): Promise<Cluster> {
  const clock = options.clock ?? systemClock;
  const source = options.credentials ?? (await findCredentials(options, clock));
  return Transport.open({ source, clock, log: options.log ?? silentLog, userAgent: options.userAgent ?? 'operator-kube' });
}

async function findCredentials({ kubeconfig: file, context, env = process.env }: ConnectOptions, clock: Clock): Promise<CredentialSource> {
  const now = (): number => clock.now();
  if (file !== undefined) return kubeconfig({ files: [file], context, now });
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((name) => name !== '');
  if (listed.length > 0) return kubeconfig({ files: listed, context, now });
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (host !== undefined && context === undefined) return inCluster({ host, port: env['KUBERNETES_SERVICE_PORT'] ?? '443' });
  const home = join(env['HOME'] ?? homedir(), '.kube', 'config');
  try {
    await access(home);
  } catch (cause) {
    throw new Error(`no cluster: set KUBECONFIG, or create ${home}`, { cause });
  }
  return kubeconfig({ files: [home], context, now });
}
