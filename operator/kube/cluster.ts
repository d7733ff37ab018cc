/** Somebody else to be for one request; needs the `impersonate` verb. */
export interface Impersonation {
  user: string;
  groups?: string[];
  uid?: string;
  extra?: Record<string, string[]>;
}

export type Query = Record<string, string | number | boolean | undefined>;

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  /** Default application/json. */
  contentType?: string;
  accept?: string;
  signal?: AbortSignal | undefined;
  /** Time for the whole exchange including retries, in milliseconds. Default 30,000. */
  timeoutMs?: number | undefined;
  asUser?: Impersonation | undefined;
  /** Told the text of a good answer before it is parsed, which takes a while if it is long. */
  onText?: ((text: string) => void) | undefined;
  /** Told each warning that comes with the answer, such as those of admission. */
  onWarning?: ((warning: string) => void) | undefined;
}

export interface StreamOptions {
  query?: Query;
  accept?: string;
  signal: AbortSignal;
  /** The stream fails when nothing came for this long, in milliseconds. */
  idleMs: number;
}

export interface Exchange {
  method: string;
  /** HTTP status, 0 when no answer came. */
  status: number;
  ms: number;
}

/** A Kubernetes API server and the way to it. */
export interface Cluster {
  /** Namespace of the kubeconfig context or of the pod. */
  readonly namespace: string;
  /** Called after each exchange; for metrics. */
  readonly observers: Set<(exchange: Exchange) => void>;
  /** One request and its JSON answer. Throws KubeError, or the signal's reason when it aborts. `path` starts with /api or /apis. */
  request<T>(path: string, options?: RequestOptions): Promise<T>;
  /** An answer that goes on, as its bytes come. Throws like `request`, also while it is read. */
  stream(path: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>>;
  /** Waits for what is under way and closes every connection. */
  close(): Promise<void>;
}
