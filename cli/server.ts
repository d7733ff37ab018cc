import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { Credentials } from '../operator/kube/credentials.ts';
import { CliError } from './cli-error.ts';
import { clusterCredentials } from './credentials.ts';
import type { KubeconfigFlags } from './credentials.ts';
import type { Terminal } from './terminal.ts';

export interface ServerFlags extends KubeconfigFlags {
  server?: string | undefined;
  token?: string | undefined;
  serviceAccount?: string | undefined;
  /** Where the Millrace API runs: `namespace/service`. */
  apiService: string;
  namespace?: string | undefined;
}

/** How to reach a Millrace API, and as whom. */
export interface Server {
  /** Without a slash at the end; paths such as /api/v1 follow. */
  url: string;
  headers: Record<string, string>;
  dispatcher: Dispatcher;
  /** Namespace that commands mean when none is given. */
  namespace: string;
}

/**
 * Finds the API: the URL of --server or MILLRACE_SERVER, else the Service of the installation through the Kubernetes API server's
 * proxy, which needs no port of its own but the right to `get` and `create` services/proxy. The token is that of --token or
 * MILLRACE_TOKEN, one made for --service-account, or the one in the kubeconfig.
 */
export async function findServer(flags: ServerFlags, terminal: Terminal): Promise<Server> {
  const { env } = terminal;
  const url = flags.server ?? env['MILLRACE_SERVER'];
  const given = flags.token ?? env['MILLRACE_TOKEN'];
  if (url !== undefined && given !== undefined && flags.serviceAccount === undefined) {
    return { url: baseUrl(url), headers: { authorization: `Bearer ${given}` }, dispatcher: new Agent(), namespace: flags.namespace ?? 'default' };
  }
  const credentials = await clusterCredentials(flags, terminal);
  const namespace = flags.namespace ?? credentials.namespace;
  const dispatcher = clusterDispatcher(credentials);
  const token = flags.serviceAccount === undefined ? (given ?? tokenOf(credentials)) : await requestToken(flags.serviceAccount, { credentials, dispatcher, namespace });
  if (url !== undefined) {
    await dispatcher.close();
    return { url: baseUrl(url), headers: { authorization: `Bearer ${token}` }, dispatcher: new Agent(), namespace };
  }
  const { service, serviceNamespace } = serviceOf(flags.apiService);
  return {
    url: `${credentials.server}/api/v1/namespaces/${serviceNamespace}/services/http:${service}:http/proxy`,
    // The API server takes Authorization for itself, so the token for Millrace goes beside it.
    headers: { ...credentials.headers, 'millrace-token': token },
    dispatcher,
    namespace,
  };
}

function baseUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw CliError.of('UsageError', `${url} is not an http or https URL.`);
  return url.replace(/\/+$/, '');
}

function tokenOf({ headers }: Credentials): string {
  const token = /^Bearer (.+)$/.exec(headers['authorization'] ?? '')?.[1];
  if (token !== undefined) return token;
  throw CliError.of('NoToken', 'The kubeconfig has no token: a client certificate only proves who you are to the Kubernetes API server. '
    + 'Give one with --token or MILLRACE_TOKEN, or name a service account whose token you may create with --service-account.');
}

function serviceOf(text: string): { serviceNamespace: string; service: string } {
  const [serviceNamespace, service, ...rest] = text.split('/');
  if (serviceNamespace === undefined || service === undefined || rest.length > 0) throw CliError.of('UsageError', `${text} is not namespace/service.`);
  return { serviceNamespace, service };
}

function clusterDispatcher({ tls, proxyUrl }: Credentials): Dispatcher {
  const connect = { ca: tls.ca, cert: tls.cert, key: tls.key, servername: tls.serverName, rejectUnauthorized: tls.insecure !== true };
  return proxyUrl === undefined ? new Agent({ connect }) : new ProxyAgent({ uri: proxyUrl, requestTls: connect });
}

/** A TokenRequest that was granted, or the Status that says why not. */
const TokenAnswer = z.looseObject({ status: z.looseObject({ token: z.string().optional() }).optional().catch(undefined), message: z.string().optional() });

/** A token that lives ten minutes, the shortest Kubernetes gives, by TokenRequest. */
async function requestToken(account: string, at: { credentials: Credentials; dispatcher: Dispatcher; namespace: string }): Promise<string> {
  const [first, second] = account.split('/');
  const [namespace, name] = second === undefined ? [at.namespace, first] : [first, second];
  const { origin, pathname } = new URL(at.credentials.server);
  const answer = await at.dispatcher.request({
    origin,
    path: `${pathname.replace(/\/$/, '')}/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    method: 'POST',
    headers: { ...at.credentials.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } }),
  });
  const body = TokenAnswer.safeParse(await answer.body.json());
  const token = body.data?.status?.token;
  if (token === undefined) throw CliError.of('NoToken', `No token for service account ${namespace}/${name}: ${body.data?.message ?? `status ${answer.statusCode}`}`);
  return token;
}
