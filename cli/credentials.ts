import { delimiter, join } from 'node:path';
import { kubeconfig } from '../operator/kube/kubeconfig.ts';
import type { Credentials } from '../operator/kube/credentials.ts';
import { CliError } from './cli-error.ts';
import type { Terminal } from './terminal.ts';

export interface KubeconfigFlags {
  kubeconfig?: string | undefined;
  context?: string | undefined;
}

/** How the kubeconfig reaches its cluster, as kubectl would. Throws CliError NoServer when there is none or it cannot be read. */
export async function clusterCredentials(flags: KubeconfigFlags, terminal: Terminal): Promise<Credentials> {
  const listed = (terminal.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const fallback = listed.length > 0 ? listed : [join(terminal.home, '.kube', 'config')];
  const files = flags.kubeconfig === undefined ? fallback : [flags.kubeconfig];
  try {
    return await kubeconfig({ files, context: flags.context, now: terminal.now })({ signal: AbortSignal.timeout(60_000), rejected: false });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw CliError.of('NoServer', `No kubeconfig: ${reason}. Name the API with --server or MILLRACE_SERVER.`, error);
  }
}
