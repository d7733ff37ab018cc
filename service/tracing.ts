import type { SpanRecord, TraceContext } from './trace-context.ts';

/** Where a role tells what it did. */
export interface Tracing {
  /** Names a new span: part of `parent`, or the begin of a trace, which is sampled as configured. */
  begin(parent?: TraceContext): TraceContext;
  /** Hands a span over to be sent; nothing is sent of traces that are not sampled. Never throws, never waits. */
  record(span: SpanRecord): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** `service.name`, unless OTEL_SERVICE_NAME says otherwise. */
  service: string;
  version: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Traces as the standard OTEL_* variables ask for them: on once OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set. Undefined
 * when they are off; then the SDK is not even loaded.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { env } = options;
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  const isOff = endpoint === '' || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  if (isOff) return undefined;
  const { openTelemetry } = await import('./open-telemetry.ts');
  return openTelemetry(options);
}
