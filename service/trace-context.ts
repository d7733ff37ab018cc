import { randomBytes } from 'node:crypto';

/** Names one span: W3C trace context, https://www.w3.org/TR/trace-context/. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits. */
  traceId: string;
  /** 16 lower-case hexadecimal digits. */
  spanId: string;
  /** Whether the trace is recorded. */
  sampled: boolean;
}

/** One piece of work that is over. Plain data: it crosses process boundaries. */
export interface SpanRecord {
  context: TraceContext;
  /** Id of the span it is part of; absent: the trace begins with it. */
  parentId?: string;
  name: string;
  kind: 'internal' | 'server' | 'producer' | 'consumer';
  /** Milliseconds since the epoch. */
  startMs: number;
  endMs: number;
  /** What it worked on, never with what data. */
  attributes: Readonly<Record<string, string | number | boolean>>;
  /** Code of the error it ended with. Messages are left out: they may quote data. */
  error?: string;
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

/** A part of `parent`, in the same trace. */
export function childOf(parent: TraceContext): TraceContext {
  return { ...parent, spanId: newSpanId() };
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined when the header is absent or not valid: then a new trace begins, as the specification asks. */
export function parseTraceparent(header: unknown): TraceContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = typeof header === 'string' ? (TRACEPARENT.exec(header) ?? []) : [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
