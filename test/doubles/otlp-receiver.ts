import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';

const value = z.strictObject({
  stringValue: z.string().optional(), intValue: z.union([z.number(), z.string()]).optional(), boolValue: z.boolean().optional(), doubleValue: z.number().optional(),
  arrayValue: z.unknown().optional(),
});
const attributes = z.array(z.strictObject({ key: z.string().min(1), value })).default([]);
const nanos = z.string().regex(/^\d{19}$/);
const id = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));

/** ExportTraceServiceRequest of OTLP 1.x in its JSON encoding, where ids are hexadecimal and 64-bit integers are text. */
const exportRequest = z.object({
  resourceSpans: z.array(z.object({
    resource: z.object({ attributes }),
    scopeSpans: z.array(z.object({
      scope: z.object({ name: z.string() }),
      spans: z.array(z.object({
        traceId: id(32), spanId: id(16), parentSpanId: id(16).or(z.literal('')).optional(), name: z.string().min(1), kind: z.number().int().min(1).max(5),
        startTimeUnixNano: nanos, endTimeUnixNano: nanos, attributes,
        events: z.array(z.object({ name: z.string(), timeUnixNano: nanos, attributes })).default([]),
        status: z.object({ code: z.number().int().min(0).max(2).default(0), message: z.string().optional() }).default({ code: 0 }),
      })),
    })),
  })),
});

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

export interface ReceivedSpan {
  service: string;
  traceId: string;
  spanId: string;
  parentId: string | undefined;
  name: string;
  kind: (typeof KINDS)[number];
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
  /** Message of an error status; undefined without an error. */
  error: string | undefined;
  events: string[];
}

/** A collector of traces as OTLP/HTTP describes it: takes `POST /v1/traces` in JSON, refuses what does not follow the protocol. */
export interface OtlpReceiver {
  readonly url: string;
  spans(): ReceivedSpan[];
  /** Requests that were refused, and why. */
  refused(): string[];
  /** Everything that was sent, as it came. */
  raw(): string;
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const refused: string[] = [];
  let raw = '';
  const server = createServer((request, response) => {
    const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
    text(body).then((json) => {
      raw += json;
      const isExport = request.method === 'POST' && request.url === '/v1/traces' && request.headers['content-type'] === 'application/json';
      if (!isExport) throw new Error(`${request.method} ${request.url} ${request.headers['content-type']} is no export of traces`);
      spans.push(...spansOf(exportRequest.parse(JSON.parse(json))));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    }).catch((error: unknown) => {
      refused.push(String(error));
      response.writeHead(400).end();
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans: () => spans,
    refused: () => refused,
    raw: () => raw,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

function spansOf({ resourceSpans }: z.infer<typeof exportRequest>): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(plain(resource.attributes)['service.name']);
    return scopeSpans.flatMap((scope) => scope.spans).map((span) => ({
      service,
      traceId: span.traceId,
      spanId: span.spanId,
      parentId: span.parentSpanId === '' ? undefined : span.parentSpanId,
      name: span.name,
      kind: KINDS[span.kind] ?? 'unspecified',
      startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
      endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
      attributes: plain(span.attributes),
      error: span.status.code === 2 ? (span.status.message ?? '') : undefined,
      events: span.events.map(({ name, attributes: about }) => `${name} ${String(plain(about)['exception.type'])}`),
    }));
  });
}

function plain(list: z.infer<typeof attributes>): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value: { stringValue, intValue, boolValue, doubleValue } }) => [key, stringValue ?? intValue ?? boolValue ?? doubleValue]));
}
