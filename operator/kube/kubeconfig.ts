import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ExecPlugin, runExecPlugin } from './exec-credential.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import type { ExecStatus } from './exec-credential.ts';

const Cluster = z.object({
  server: z.url(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});
type Cluster = z.infer<typeof Cluster>;

const User = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  as: z.string().optional(),
  exec: ExecPlugin.nullish(),
  'auth-provider': z.object({ name: z.string() }).nullish(),
});
type User = z.infer<typeof User>;

const Context = z.object({ cluster: z.string(), user: z.string().optional(), namespace: z.string().optional() });

const named = <T extends z.ZodType, Name extends string>(name: Name, schema: T) =>
  z.array(z.object({ name: z.string(), [name]: schema.nullable() } as { name: z.ZodString } & Record<Name, z.ZodNullable<T>>)).nullish();

const KubeconfigFile = z.object({
  'current-context': z.string().optional(),
  clusters: named('cluster', Cluster),
  users: named('user', User),
  contexts: named('context', Context),
});

interface Selected {
  cluster: Cluster;
  user: User;
  namespace: string;
}

export interface KubeconfigOptions {
  /** Files in order of precedence, as in $KUBECONFIG. */
  files: string[];
  /** Default: the current context. */
  context?: string | undefined;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/**
 * A user and cluster of kubeconfig files. The files are read again when they change, the files they name every time, and
 * a credential plugin is run again when what it gave expires or is refused.
 */
export function kubeconfig(options: KubeconfigOptions): CredentialSource {
  let stamp: string | undefined;
  let selected: Selected | undefined;
  let plugin: ExecStatus | undefined;
  return async ({ signal, rejected }) => {
    const current = await stampOf(options.files);
    if (!selected || current !== stamp) {
      selected = await select(options.files, options.context);
      stamp = current;
      plugin = undefined;
    }
    const { cluster, user } = selected;
    if (user.exec && (rejected || !plugin || expired(plugin, options.now()))) {
      plugin = await runExecPlugin(user.exec, await execCluster(cluster), signal);
    }
    return credentials(selected, plugin);
  };
}

const EXPIRY_MARGIN_MS = 10_000;

function expired(plugin: ExecStatus, now: number): boolean {
  return plugin.expirationTimestamp !== undefined && Date.parse(plugin.expirationTimestamp) - EXPIRY_MARGIN_MS < now;
}

async function stampOf(files: string[]): Promise<string> {
  const stats = await Promise.all(files.map((file) => stat(file)));
  return stats.map((file) => `${file.mtimeMs}/${file.ino}/${file.size}`).join();
}

async function select(files: string[], wanted: string | undefined): Promise<Selected> {
  const parts = await Promise.all(files.map(read));
  const contextName = wanted ?? parts.map((part) => part['current-context']).find((name) => name !== undefined && name !== '');
  if (contextName === undefined) throw new Error(`no current context in ${files.join(', ')}; name one with --context`);
  const context = parts.flatMap((part) => part.contexts ?? []).find(({ name }) => name === contextName)?.context;
  if (!context) throw new Error(`no context ${contextName} in ${files.join(', ')}; see kubectl config get-contexts`);
  const cluster = parts.flatMap((part) => part.clusters ?? []).find(({ name }) => name === context.cluster)?.cluster;
  if (!cluster) throw new Error(`context ${contextName} names cluster ${context.cluster}, which is not in ${files.join(', ')}`);
  const user = parts.flatMap((part) => part.users ?? []).find(({ name }) => name === context.user)?.user ?? {};
  if (user['auth-provider']) {
    throw new Error(`the user of context ${contextName} has an auth-provider (${user['auth-provider'].name}); use an exec plugin instead`);
  }
  return { cluster, user, namespace: context.namespace ?? 'default' };
}

/** One file, with the paths in it made absolute: they are relative to the file. */
async function read(file: string): Promise<z.infer<typeof KubeconfigFile>> {
  const parsed = KubeconfigFile.safeParse(parse(await readFile(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file} is not a kubeconfig: ${z.prettifyError(parsed.error)}`);
  const absolute = <T extends object>(object: T | null | undefined, fields: (keyof T)[]): void => {
    for (const field of fields) {
      const value = object?.[field];
      if (object && typeof value === 'string') object[field] = resolve(dirname(file), value) as T[keyof T];
    }
  };
  for (const { cluster } of parsed.data.clusters ?? []) absolute(cluster, ['certificate-authority']);
  for (const { user } of parsed.data.users ?? []) absolute(user, ['client-certificate', 'client-key', 'tokenFile']);
  return parsed.data;
}

async function execCluster(cluster: Cluster): Promise<Parameters<typeof runExecPlugin>[1]> {
  const ca = await fileOrData(cluster['certificate-authority'], cluster['certificate-authority-data']);
  return {
    server: cluster.server,
    certificateAuthorityData: ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'],
    tlsServerName: cluster['tls-server-name'],
  };
}

async function credentials({ cluster, user, namespace }: Selected, plugin: ExecStatus | undefined): Promise<Credentials> {
  const [ca, cert, key] = await Promise.all([
    fileOrData(cluster['certificate-authority'], cluster['certificate-authority-data']),
    plugin?.clientCertificateData ?? fileOrData(user['client-certificate'], user['client-certificate-data']),
    plugin?.clientKeyData ?? fileOrData(user['client-key'], user['client-key-data']),
  ]);
  const authorization = await authorizationOf(user, plugin);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(cluster['tls-server-name'] === undefined ? {} : { serverName: cluster['tls-server-name'] }),
      ...(cluster['insecure-skip-tls-verify'] ? { insecure: true } : {}),
    },
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(user.as === undefined ? {} : { 'impersonate-user': user.as }),
    },
    ...(cluster['proxy-url'] === undefined ? {} : { proxyUrl: cluster['proxy-url'] }),
  };
}

async function authorizationOf(user: User, plugin: ExecStatus | undefined): Promise<string | undefined> {
  const token = plugin?.token ?? (user.tokenFile === undefined ? user.token : (await readFile(user.tokenFile, 'utf8')).trim());
  if (token !== undefined) return `Bearer ${token}`;
  if (user.username === undefined) return undefined;
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
}

async function fileOrData(file: string | undefined, data: string | undefined): Promise<string | undefined> {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8');
  return file === undefined ? undefined : await readFile(file, 'utf8');
}
