import { spawn } from 'node:child_process';
import { z } from 'zod';

/** The `exec` section of a kubeconfig user: a program that prints an ExecCredential. */
export const ExecPlugin = z.object({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().nullish(),
});
export type ExecPlugin = z.infer<typeof ExecPlugin>;

const ExecCredential = z.object({
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.iso.datetime({ offset: true }).optional(),
  }),
});
export type ExecStatus = z.infer<typeof ExecCredential>['status'];

export interface ExecCluster {
  server: string;
  certificateAuthorityData?: string | undefined;
  insecureSkipTlsVerify?: boolean | undefined;
  tlsServerName?: string | undefined;
}

/** Runs the plugin once. Its output is never part of an error: it holds a credential. */
export async function runExecPlugin(plugin: ExecPlugin, cluster: ExecCluster, signal: AbortSignal): Promise<ExecStatus> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(plugin.provideClusterInfo
        ? {
            cluster: {
              server: cluster.server,
              'certificate-authority-data': cluster.certificateAuthorityData,
              'insecure-skip-tls-verify': cluster.insecureSkipTlsVerify,
              'tls-server-name': cluster.tlsServerName,
            },
          }
        : {}),
    },
  };
  const env = { ...process.env, ...Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value])), KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const output = await run(plugin, env, signal);
  const parsed = ExecCredential.safeParse(parseJson(output));
  if (!parsed.success) throw new Error(`credential plugin ${plugin.command} did not print an ExecCredential with a status; run it by hand to see why`);
  return parsed.data.status;
}

/** Undefined when it is not JSON. The parser's own error would quote the credential. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    if (!(err instanceof SyntaxError)) throw err;
    return undefined;
  }
}

function run(plugin: ExecPlugin, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(plugin.command, plugin.args ?? [], { env, signal, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', (cause) => reject(new Error(`credential plugin ${plugin.command} could not be run; is it installed?`, { cause })));
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`credential plugin ${plugin.command} exited with ${code}`));
    });
  });
}
