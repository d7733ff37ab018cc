import { Option } from 'commander';
import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import { findServer } from './server.ts';
import type { ServerFlags } from './server.ts';
import type { Terminal } from './terminal.ts';

/** The flags of every command that talks to a Millrace API. */
export function withServerOptions(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'namespace; default: that of the kubeconfig context')
    .option('--server <url>', 'URL of the Millrace API (also MILLRACE_SERVER); default: through the Kubernetes API server')
    .option('--token <token>', 'bearer token (better: MILLRACE_TOKEN, which other processes cannot see); default: that of the kubeconfig')
    .option('--service-account <name>', 'act as this service account, [namespace/]name, by a token made for ten minutes')
    .option('--kubeconfig <file>', 'default: $KUBECONFIG, else ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig; default: the current one')
    .addOption(new Option('--api-service <namespace/name>', 'Service of the Millrace API').default('millrace/millrace-api').env('MILLRACE_API_SERVICE'));
}

/** Runs `use` with a client of the API that the flags name, and closes its connections afterwards. */
export async function withApi(flags: ServerFlags, terminal: Terminal, use: (api: ApiClient, namespace: string) => Promise<void>): Promise<void> {
  const server = await findServer(flags, terminal);
  try {
    await use(new ApiClient(server), server.namespace);
  } finally {
    await server.dispatcher.destroy();
  }
}
