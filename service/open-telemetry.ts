import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, type Context, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, type Sampler, SamplingDecision, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { newSpanId, newTraceId, type SpanRecord, type TraceContext } from './trace-context.ts';
import type { Tracing, TracingOptions } from './tracing.ts';

const KINDS: Record<SpanRecord['kind'], SpanKind> = {
  internal: SpanKind.INTERNAL, server: SpanKind.SERVER, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER,
};

/** Loaded only when traces are on: see tracing.ts. */
export function openTelemetry({ service, version, env }: TracingOptions): Tracing {
  const sampler = samplerOf(env);
  // Spans are named where the work is done, by other processes too; the SDK is given their ids. Starting a span is synchronous.
  const ids = { traceId: '', spanId: '' };
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    idGenerator: { generateTraceId: () => ids.traceId, generateSpanId: () => ids.spanId },
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.namespace': 'millrace', 'service.name': service, 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    // The exporter reads the OTEL_EXPORTER_OTLP_* variables itself.
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis: Number(env['OTEL_BSP_SCHEDULE_DELAY'] ?? 5000) })],
  });
  const tracer = provider.getTracer('millrace', version);
  return {
    begin(parent) {
      const traceId = parent?.traceId ?? newTraceId();
      const { decision } = sampler.shouldSample(contextOf(parent), traceId, '', SpanKind.INTERNAL, {}, []);
      return { traceId, spanId: newSpanId(), sampled: decision === SamplingDecision.RECORD_AND_SAMPLED };
    },
    record({ context, parentId, name, kind, startMs, endMs, attributes, error }) {
      if (!context.sampled) return;
      Object.assign(ids, context);
      const parent = parentId === undefined ? undefined : { ...context, spanId: parentId };
      const span = tracer.startSpan(name, { kind: KINDS[kind], startTime: startMs, attributes }, contextOf(parent));
      if (error !== undefined) {
        span.addEvent('exception', { 'exception.type': error }, endMs);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      }
      span.end(endMs);
    },
    close: () => provider.shutdown(),
  };
}

function contextOf(parent: TraceContext | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, sampled } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true });
}

/** OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG, with the names and the default of the specification. */
function samplerOf(env: NodeJS.ProcessEnv): Sampler {
  const ratio = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? 1);
  const name = env['OTEL_TRACES_SAMPLER'] ?? 'parentbased_always_on';
  const roots: Record<string, Sampler> = {
    always_on: new AlwaysOnSampler(), always_off: new AlwaysOffSampler(), traceidratio: new TraceIdRatioBasedSampler(Number.isFinite(ratio) ? ratio : 1),
  };
  const root = roots[name.replace(/^parentbased_/, '')] ?? new AlwaysOnSampler();
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}
