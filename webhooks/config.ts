import * as z from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);

/** Settings of the admission webhooks, from environment variables. */
const environment = z.object({
  POD_NAMESPACE: z.string().min(1).max(253),
  /** Secret, in the namespace of the pod, with tls.crt and tls.key. */
  MILLRACE_WEBHOOK_SECRET: z.string().min(1).max(253),
  /** Port of the webhooks, TLS. */
  MILLRACE_WEBHOOK_PORT: port.default(8443),
  /** Port of /healthz, /readyz and /metrics. */
  MILLRACE_HEALTH_PORT: port.default(8080),
  /** Comma-separated; empty: all namespaces. Those of the operator. */
  MILLRACE_WATCH_NAMESPACES: z.string().default('').transform((text) => text.split(',').map((part) => part.trim()).filter((part) => part !== '')),
  MILLRACE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

/** Throws an Error that names each variable that is missing or wrong. */
export function webhookConfig(env: NodeJS.ProcessEnv) {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The environment of the webhooks is not complete: ${problems.join('; ')}`);
  }
  const values = parsed.data;
  return {
    home: values.POD_NAMESPACE,
    secret: values.MILLRACE_WEBHOOK_SECRET,
    port: values.MILLRACE_WEBHOOK_PORT,
    healthPort: values.MILLRACE_HEALTH_PORT,
    namespaces: values.MILLRACE_WATCH_NAMESPACES,
    logLevel: values.MILLRACE_LOG_LEVEL,
  };
}
