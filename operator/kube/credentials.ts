/** How to reach a cluster and as whom, at one moment. */
export interface Credentials {
  /** Base URL of the API server, without a trailing slash. */
  server: string;
  /** Namespace of the context, or of the pod. */
  namespace: string;
  tls: { ca?: string; cert?: string; key?: string; serverName?: string; insecure?: boolean };
  headers: Record<string, string>;
  /** http, https or socks5 proxy in front of the API server. */
  proxyUrl?: string;
}

/** Reads credentials; called again and again, because tokens and certificates rotate. */
export type CredentialSource = (options: { signal: AbortSignal; rejected: boolean }) => Promise<Credentials>;
