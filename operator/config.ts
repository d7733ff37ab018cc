import * as z from 'zod';
import type { ContainerSettings } from './controllers/container/controller.ts';
import type { RunnerDefaults } from './controllers/runner-pool/deployment.ts';
import type { WebhookNames } from './controllers/webhook-certificates/controller.ts';
import { artifactAudience } from '../runner/artifacts/plan.ts';
import { objectStorageOf } from '../store/objects/settings.ts';
import { serverUrls } from '../store/servers.ts';

const name = z.string().min(1).max(253);
const list = z.string().default('').transform((text) => text.split(',').map((part) => part.trim()).filter((part) => part !== ''));
/** Charts give what is not set as an empty text. */
const optional = <T extends z.ZodType>(schema: T) => z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const POSTGRES_PORT = 5432;
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** Settings of the operator, from environment variables. */
const environment = z.object({
  /** URL of PostgreSQL. Holds a password: never logged. */
  MILLRACE_DATABASE_URL: z.string().min(1),
  /** The operator's own namespace: of its Lease, of runner pools and of the Secrets below. */
  POD_NAMESPACE: name,
  POD_NAME: name,
  /** Image of runner pods whose pool names none: the operator's own. */
  MILLRACE_IMAGE: z.string().min(1),
  MILLRACE_IMAGE_PULL_POLICY: optional(z.enum(['Always', 'IfNotPresent', 'Never'])),
  /** Comma-separated names of Secrets. */
  MILLRACE_IMAGE_PULL_SECRETS: list,
  /** Address of the installation, without a slash at the end. */
  MILLRACE_BASE_URL: z.string().default('').transform((url) => url.replace(/\/+$/, '')),
  /** Comma-separated; empty: all namespaces. */
  MILLRACE_WATCH_NAMESPACES: list,
  /** ServiceAccount of runner pods whose pool names none. */
  MILLRACE_RUNNER_SERVICE_ACCOUNT: z.string().default('default'),
  /** Secret with the URL of PostgreSQL, for runner pods. */
  MILLRACE_DATABASE_SECRET: name,
  MILLRACE_DATABASE_SECRET_KEY: name.default('url'),
  /** JSON: where containers of workflows may run, and how many. Not set: nowhere. */
  MILLRACE_CONTAINERS: optional(z.string().transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof SyntaxError ? 'is not JSON' : 'cannot be read' });
      return z.NEVER;
    }
  }).pipe(z.strictObject({
    namespaces: z.array(name), serviceAccounts: z.array(name), maxActive: z.int().min(1), perSecond: z.number().positive(), keepSeconds: z.int().min(0),
    artifacts: z.strictObject({ url: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')), volumeSize: z.string().min(1),
      maxBytes: z.int().min(1), uploadSeconds: z.int().min(10) }).exactOptional(),
  }))),
  /** Runner pods for executions that get one each, at once. */
  MILLRACE_ISOLATED_PODS: z.coerce.number().int().min(0).max(10_000).default(20),
  /** ConfigMap with the runner pools of the release. */
  MILLRACE_POOLS_CONFIGMAP: optional(name),
  /** The admission webhooks: their ValidatingWebhookConfiguration, their Service and the Secret for their certificates. All or none. */
  MILLRACE_WEBHOOK_CONFIGURATION: optional(name),
  MILLRACE_WEBHOOK_SERVICE: optional(name),
  MILLRACE_WEBHOOK_SECRET: optional(name),
  /** Value of the label app.kubernetes.io/instance of runner pods. */
  MILLRACE_INSTANCE: optional(z.string().max(63)),
  /** Port of /healthz, /readyz and /metrics. */
  MILLRACE_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  /** Days for which finished executions are kept. */
  MILLRACE_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(14),
  MILLRACE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export type OperatorConfig = ReturnType<typeof operatorConfig>;

/** Throws an Error that names each variable that is missing or wrong, never its value. */
export function operatorConfig(env: NodeJS.ProcessEnv) {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The environment of the operator is not complete: ${problems.join('; ')}`);
  }
  const values = parsed.data;
  return {
    databaseUrl: values.MILLRACE_DATABASE_URL,
    home: values.POD_NAMESPACE,
    identity: values.POD_NAME,
    healthPort: values.MILLRACE_HEALTH_PORT,
    logLevel: values.MILLRACE_LOG_LEVEL,
    retentionDays: values.MILLRACE_RETENTION_DAYS,
    namespaces: values.MILLRACE_WATCH_NAMESPACES,
    poolsConfigMap: values.MILLRACE_POOLS_CONFIGMAP,
    webhooks: webhookNames(values),
    containers: containerSettings(values),
    isolatedPods: values.MILLRACE_ISOLATED_PODS,
    runners: {
      image: values.MILLRACE_IMAGE,
      imagePullSecrets: values.MILLRACE_IMAGE_PULL_SECRETS,
      serviceAccountName: values.MILLRACE_RUNNER_SERVICE_ACCOUNT,
      databaseSecret: { name: values.MILLRACE_DATABASE_SECRET, key: values.MILLRACE_DATABASE_SECRET_KEY },
      databasePort: Number(URL.parse(serverUrls(values.MILLRACE_DATABASE_URL)[0] ?? '')?.port || POSTGRES_PORT),
      baseUrl: values.MILLRACE_BASE_URL,
      logLevel: values.MILLRACE_LOG_LEVEL,
      ...objectStorageVariables(env),
      ...tracingVariables(env),
      ...(values.MILLRACE_IMAGE_PULL_POLICY === undefined ? {} : { imagePullPolicy: values.MILLRACE_IMAGE_PULL_POLICY }),
      ...(values.MILLRACE_INSTANCE === undefined ? {} : { instance: values.MILLRACE_INSTANCE }),
    },
  };
}

function containerSettings({ MILLRACE_CONTAINERS: settings, MILLRACE_IMAGE: image, MILLRACE_IMAGE_PULL_POLICY: imagePullPolicy, POD_NAMESPACE: home }: z.infer<typeof environment>): ContainerSettings | undefined {
  if (settings === undefined) return undefined;
  const { artifacts, ...rest } = settings;
  if (artifacts === undefined) return rest;
  return { ...rest, artifacts: { ...artifacts, audience: artifactAudience(home), image, ...(imagePullPolicy && { imagePullPolicy }) } };
}

/** What runners are told of the object storage: the same, but for what is secret, which they take from the same Secrets. */
function objectStorageVariables(env: NodeJS.ProcessEnv): Pick<RunnerDefaults, 'objectStorage'> {
  const storage = objectStorageOf(env);
  if (storage === undefined) return {};
  const plain = ['BUCKET', 'REGION', 'ENDPOINT', 'PREFIX', 'FORCE_PATH_STYLE', 'PAYLOAD_BYTES'].flatMap((part) => {
    const name = `MILLRACE_S3_${part}`;
    const value = env[name];
    return value ? [{ name, value }] : [];
  });
  const credentials = env['MILLRACE_S3_CREDENTIALS_SECRET'];
  const authority = env['MILLRACE_S3_CA_SECRET'];
  const secret = (name: string, from: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: from, key } } });
  const url = URL.parse(storage.endpoint ?? 'https://s3.amazonaws.com');
  return {
    objectStorage: {
      env: [
        ...plain,
        ...(credentials ? [secret('AWS_ACCESS_KEY_ID', credentials, 'accessKeyId'), secret('AWS_SECRET_ACCESS_KEY', credentials, 'secretAccessKey')] : []),
        ...(authority ? [secret('MILLRACE_S3_CA', authority, 'ca.crt')] : []),
      ],
      port: Number(url?.port || (url?.protocol === 'http:' ? HTTP_PORT : HTTPS_PORT)),
    },
  };
}

/** What runners are told of traces. Not OTEL_EXPORTER_OTLP_HEADERS: it may hold a secret, which a pool takes from a Secret in its `env`. */
function tracingVariables(env: NodeJS.ProcessEnv): { tracing?: { name: string; value: string }[] } {
  const tracing = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'].flatMap((name) => {
    const value = env[name];
    return value === undefined || value === '' ? [] : [{ name, value }];
  });
  return tracing.length === 0 ? {} : { tracing };
}

/** Absent: without the webhooks, or cert-manager makes their certificates. */
function webhookNames({ MILLRACE_WEBHOOK_CONFIGURATION: configuration, MILLRACE_WEBHOOK_SERVICE: service, MILLRACE_WEBHOOK_SECRET: secret }: z.infer<typeof environment>): WebhookNames | undefined {
  if (configuration === undefined && service === undefined && secret === undefined) return undefined;
  if (configuration === undefined || service === undefined || secret === undefined) {
    throw new Error('The environment of the operator is not complete: MILLRACE_WEBHOOK_CONFIGURATION, MILLRACE_WEBHOOK_SERVICE and MILLRACE_WEBHOOK_SECRET go together');
  }
  return { configuration, service, secret };
}
