import { z } from 'zod';
import { artifactAudience } from '../runner/artifacts/plan.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const positive = z.coerce.number().int().positive();

/** Settings of the api role, from environment variables. */
const Environment = z.object({
  /** postgresql:// URL. Holds a password: never logged. */
  MILLRACE_DATABASE_URL: z.string().min(1),
  /** Names this replica in logs. */
  POD_NAME: z.string().min(1).max(253).optional(),
  /** What people reach the API at, without a path; part of webhook URLs. */
  MILLRACE_BASE_URL: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')).optional(),
  /** Public port: REST and webhooks. 0: any. */
  MILLRACE_PORT: port.default(8080),
  /** Port of /healthz, /readyz and /metrics. */
  MILLRACE_HEALTH_PORT: port.default(8081),
  /** Port where pods of container nodes get and give files. Not set: files are not moved. 0: any. */
  MILLRACE_ARTIFACTS_PORT: port.optional(),
  /** Of a file that such a pod gives, in bytes. */
  MILLRACE_ARTIFACT_MAX_BYTES: positive.default(256 * 1024 * 1024),
  /** Namespace of the installation; part of the audience of the tokens of those pods. */
  POD_NAMESPACE: z.string().min(1).max(253).optional(),
  /** Comma-separated audiences a token may be meant for; empty: the audience of the Kubernetes API server. */
  MILLRACE_TOKEN_AUDIENCES: z.string().default('').transform((list) => list.split(',').map((audience) => audience.trim()).filter((audience) => audience !== '')),
  /** Largest request body, in bytes. */
  MILLRACE_MAX_BODY_BYTES: positive.default(16 * 1024 * 1024),
  /** Largest request body with files in it, in bytes: files go to the database as they come. */
  MILLRACE_MAX_FILE_BYTES: positive.default(64 * 1024 * 1024),
  /** Proxies of this installation that every request passes: so many addresses at the end of X-Forwarded-For can be believed. */
  MILLRACE_PROXY_HOPS: z.coerce.number().int().min(0).max(10).default(0),
  /** Bytes of request bodies held at once, over all requests; more are answered 429. */
  MILLRACE_MAX_BODY_BYTES_IN_FLIGHT: positive.default(128 * 1024 * 1024),
  /** Webhook requests between arrival and answer; more are answered 429. */
  MILLRACE_MAX_WEBHOOKS_IN_FLIGHT: positive.default(2000),
  /** Seconds a webhook waits for its workflow to answer before it is told 504. */
  MILLRACE_WEBHOOK_RESPONSE_SECONDS: positive.default(100),
  /** Seconds a caller may take to send a whole request. */
  MILLRACE_REQUEST_SECONDS: positive.default(60),
  /** Connections to PostgreSQL. */
  MILLRACE_DATABASE_CONNECTIONS: positive.default(8),
  /** REST requests per second and user. */
  MILLRACE_USER_REQUESTS_PER_SECOND: positive.default(50),
  /** Seconds that requests under way get to finish when the server is told to stop. */
  MILLRACE_DRAIN_SECONDS: positive.default(25),
  MILLRACE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export interface Config {
  databaseUrl: string;
  databaseConnections: number;
  replica: string;
  baseUrl: string | undefined;
  port: number;
  healthPort: number;
  /** Absent: files of container nodes are not moved. */
  artifacts?: { port: number; audience: string; maxBytes: number };
  audiences: readonly string[];
  limits: Limits;
  proxyHops: number;
  drainMs: number;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** Bounds of what one server takes on. */
export interface Limits {
  bodyBytes: number;
  /** Of a request whose files go to the store as they come. */
  fileBytes: number;
  bodyBytesInFlight: number;
  webhooksInFlight: number;
  responseMs: number;
  requestMs: number;
  userRequestsPerSecond: number;
}

/** Throws an Error that names the variables that are missing or wrong, never their values. */
export function readConfig(env: NodeJS.ProcessEnv, hostname: string): Config {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new Error(`The environment of the api is not complete: ${wrong}`);
  }
  const { data } = parsed;
  const { MILLRACE_ARTIFACTS_PORT: artifactsPort, POD_NAMESPACE: home } = data;
  if (artifactsPort !== undefined && home === undefined) throw new Error('The environment of the api is not complete: MILLRACE_ARTIFACTS_PORT needs POD_NAMESPACE');
  return {
    databaseUrl: data.MILLRACE_DATABASE_URL,
    databaseConnections: data.MILLRACE_DATABASE_CONNECTIONS,
    replica: data.POD_NAME ?? hostname,
    baseUrl: data.MILLRACE_BASE_URL,
    port: data.MILLRACE_PORT,
    healthPort: data.MILLRACE_HEALTH_PORT,
    ...(artifactsPort !== undefined && home !== undefined && { artifacts: { port: artifactsPort, audience: artifactAudience(home), maxBytes: data.MILLRACE_ARTIFACT_MAX_BYTES } }),
    audiences: data.MILLRACE_TOKEN_AUDIENCES,
    limits: {
      bodyBytes: data.MILLRACE_MAX_BODY_BYTES,
      fileBytes: data.MILLRACE_MAX_FILE_BYTES,
      bodyBytesInFlight: data.MILLRACE_MAX_BODY_BYTES_IN_FLIGHT,
      webhooksInFlight: data.MILLRACE_MAX_WEBHOOKS_IN_FLIGHT,
      responseMs: data.MILLRACE_WEBHOOK_RESPONSE_SECONDS * 1000,
      requestMs: data.MILLRACE_REQUEST_SECONDS * 1000,
      userRequestsPerSecond: data.MILLRACE_USER_REQUESTS_PER_SECOND,
    },
    proxyHops: data.MILLRACE_PROXY_HOPS,
    drainMs: data.MILLRACE_DRAIN_SECONDS * 1000,
    logLevel: data.MILLRACE_LOG_LEVEL,
  };
}
