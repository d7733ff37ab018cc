import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { DeadLetterDetail, DeadLetterList, Done, Pool, PoolList } from '../api/rest/queue-schemas.ts';
import { Accepted, Execution, ExecutionDetail, ExecutionList, Listening, NodeRuns, NodeRunSummary, WrittenObject } from '../api/rest/schemas.ts';
import { Watching } from '../api/rest/watching-schemas.ts';
import { Backfilled, ScheduleList } from '../api/rest/schedule-schemas.ts';
import { CliError } from './cli-error.ts';
import type { Server } from './server.ts';

const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string(), requestId: z.string().optional() }) });
/** What the Kubernetes API server says itself when its proxy cannot reach the Service, or may not. */
const KubernetesStatus = z.object({ kind: z.literal('Status'), reason: z.string().optional(), message: z.string() });

/** Longest silence of a stream, in milliseconds: the server sends a heartbeat every 15 s. */
const silenceMs = 60_000;

/** An event of `listen`. */
export type ListenEvent = ExecutionEvent | { event: 'listening'; data: z.output<typeof Listening> };

/** An event of `follow`. */
export type ExecutionEvent = { event: 'node'; data: NodeRunSummary } | { event: 'execution'; data: Execution };

type Method = 'GET' | 'POST' | 'DELETE';

/** The Millrace API as functions. All throw CliError: the API's own code, ServerUnreachable or UnexpectedAnswer. */
export class ApiClient {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** `namespace` undefined: all namespaces. */
  list(namespace: string | undefined, query: Record<string, string | number | undefined>): Promise<z.output<typeof ExecutionList>> {
    const path = namespace === undefined ? '/executions' : `/namespaces/${encodeURIComponent(namespace)}/executions`;
    return this.#json('GET', path, { schema: ExecutionList, query });
  }

  get(namespace: string, id: string): Promise<ExecutionDetail> {
    return this.#json('GET', executionPath(namespace, id), { schema: ExecutionDetail });
  }

  nodeRuns(namespace: string, id: string, node: string): Promise<z.output<typeof NodeRuns>> {
    return this.#json('GET', `${executionPath(namespace, id)}/nodes/${encodeURIComponent(node)}`, { schema: NodeRuns });
  }

  cancel(namespace: string, id: string): Promise<Execution> {
    return this.#json('POST', `${executionPath(namespace, id)}/cancel`, { schema: Execution });
  }

  retry(namespace: string, id: string, from: 'start' | 'failed' = 'start'): Promise<Accepted> {
    return this.#json('POST', `${executionPath(namespace, id)}/retry`, { schema: Accepted, query: { from } });
  }

  /** `wait`: seconds, at most 100. */
  trigger(namespace: string, workflow: string, { body, wait }: { body: object; wait: number }): Promise<Accepted> {
    return this.#json('POST', `/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflow)}/trigger`, { schema: Accepted, body, query: { wait } });
  }

  watching(): Promise<Watching> {
    return this.#json('GET', '/bottlenecks', { schema: Watching });
  }

  pools(): Promise<z.output<typeof PoolList>> {
    return this.#json('GET', '/pools', { schema: PoolList });
  }

  pool(name: string): Promise<Pool> {
    return this.#json('GET', `/pools/${encodeURIComponent(name)}`, { schema: Pool });
  }

  steerPool(name: string, action: 'pause' | 'resume'): Promise<Pool> {
    return this.#json('POST', `/pools/${encodeURIComponent(name)}/${action}`, { schema: Pool });
  }

  /** `namespace` undefined: all namespaces. */
  deadLetters(namespace: string | undefined, query: Record<string, string | number | undefined>): Promise<DeadLetterList> {
    const path = namespace === undefined ? '/dead-letters' : `/namespaces/${encodeURIComponent(namespace)}/dead-letters`;
    return this.#json('GET', path, { schema: DeadLetterList, query });
  }

  deadLetter(namespace: string, id: string): Promise<DeadLetterDetail> {
    return this.#json('GET', deadLetterPath(namespace, id), { schema: DeadLetterDetail });
  }

  requeueDeadLetter(namespace: string, id: string): Promise<z.output<typeof Done>> {
    return this.#json('POST', `${deadLetterPath(namespace, id)}/requeue`, { schema: Done });
  }

  discardDeadLetter(namespace: string, id: string): Promise<z.output<typeof Done>> {
    return this.#json('DELETE', deadLetterPath(namespace, id), { schema: Done });
  }

  /** `namespace` undefined: all namespaces. */
  schedules(namespace: string | undefined, query: Record<string, string | undefined>): Promise<z.output<typeof ScheduleList>> {
    return this.#json('GET', namespace === undefined ? '/schedules' : `/namespaces/${encodeURIComponent(namespace)}/schedules`, { schema: ScheduleList, query });
  }

  backfill({ namespace, workflow }: { namespace: string; workflow: string }, body: object): Promise<z.output<typeof Backfilled>> {
    return this.#json('POST', `/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflow)}/backfill`, { schema: Backfilled, body });
  }

  /** Sets whether triggers start a workflow. */
  activate(namespace: string, workflow: string, { active, dryRun }: { active: boolean; dryRun: boolean }): Promise<z.output<typeof WrittenObject>> {
    const path = `/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflow)}/${active ? 'activate' : 'deactivate'}`;
    return this.#json('POST', path, { schema: WrittenObject, query: { fieldManager: 'millrace-cli', dryRun: dryRun ? 'true' : undefined } });
  }

  /** Waits for one call of a test URL and follows what it starts. Without `spec` the published revision. */
  async *listen(about: { namespace: string; workflow: string; spec?: object | undefined; seconds: string }): AsyncGenerator<ListenEvent> {
    const path = `/namespaces/${encodeURIComponent(about.namespace)}/workflows/${encodeURIComponent(about.workflow)}/listen?seconds=${encodeURIComponent(about.seconds)}`;
    const answer = await this.#send('POST', path, { bodyTimeout: silenceMs, accept: 'text/event-stream', body: about.spec === undefined ? {} : { spec: about.spec } });
    try {
      for await (const { event, data } of readEvents(answer.body)) {
        if (event === 'listening') yield { event, data: Listening.parse(data) };
        if (event === 'node') yield { event, data: NodeRunSummary.parse(data) };
        if (event === 'execution') yield { event, data: Execution.parse(data) };
      }
    } catch (error) {
      throw unreachable(error, this.#server.url);
    }
  }

  /** Events of one execution until it has ended. */
  async *follow(namespace: string, id: string): AsyncGenerator<ExecutionEvent> {
    const answer = await this.#send('GET', `${executionPath(namespace, id)}/events`, { bodyTimeout: silenceMs, accept: 'text/event-stream' });
    try {
      for await (const { event, data } of readEvents(answer.body)) {
        if (event === 'node') yield { event, data: NodeRunSummary.parse(data) };
        if (event === 'execution') yield { event, data: Execution.parse(data) };
      }
    } catch (error) {
      throw unreachable(error, this.#server.url);
    }
  }

  async #json<Schema extends z.ZodType>(
    method: Method, path: string,
    options: { schema: Schema; query?: Record<string, string | number | undefined>; body?: object },
  ): Promise<z.output<Schema>> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {})) if (value !== undefined) query.set(name, String(value));
    const answer = await this.#send(method, `${path}${query.size > 0 ? `?${query.toString()}` : ''}`, { accept: 'application/json', ...(options.body ? { body: options.body } : {}) });
    const parsed = options.schema.safeParse(parseJson(await answer.body.text()));
    if (parsed.success) return parsed.data;
    throw CliError.of('UnexpectedAnswer', `${this.#server.url} answered something this version does not know: ${z.prettifyError(parsed.error)}`);
  }

  async #send(method: Method, path: string, options: { accept: string; body?: object; bodyTimeout?: number }): Promise<Dispatcher.ResponseData> {
    const { url, headers, dispatcher } = this.#server;
    const target = new URL(`${url}/api/v1${path}`);
    let answer: Dispatcher.ResponseData;
    try {
      answer = await dispatcher.request({
        origin: target.origin, path: `${target.pathname}${target.search}`, method,
        // A trigger that waits is answered after up to 100 seconds.
        headersTimeout: 120_000, bodyTimeout: options.bodyTimeout ?? 120_000,
        headers: { ...headers, accept: options.accept, 'user-agent': 'millrace-cli', ...(options.body ? { 'content-type': 'application/json' } : {}) },
        body: options.body ? JSON.stringify(options.body) : null,
      });
    } catch (error) {
      throw unreachable(error, url);
    }
    if (answer.statusCode < 300) return answer;
    throw refusal(answer.statusCode, parseJson(await answer.body.text()), url);
  }
}

function executionPath(namespace: string, id: string): string {
  return `/namespaces/${encodeURIComponent(namespace)}/executions/${encodeURIComponent(id)}`;
}

function deadLetterPath(namespace: string, id: string): string {
  return `/namespaces/${encodeURIComponent(namespace)}/dead-letters/${encodeURIComponent(id)}`;
}

function refusal(status: number, body: unknown, url: string): CliError {
  const ours = Refusal.safeParse(body);
  if (ours.success) return CliError.refused(ours.data.error.code, status, ours.data.error.message);
  const kubernetes = KubernetesStatus.safeParse(body);
  if (kubernetes.success) return CliError.refused(kubernetes.data.reason ?? 'ServerUnreachable', status, `The Kubernetes API server says: ${kubernetes.data.message}`);
  return CliError.of('UnexpectedAnswer', `${url} answered with status ${status} and is perhaps no Millrace API.`);
}

function unreachable(error: unknown, url: string): CliError {
  if (error instanceof CliError) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return CliError.of('ServerUnreachable', `${url} cannot be reached: ${reason}`, error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Server-sent events as our server writes them: one data line of JSON each. */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<{ event: string; data: unknown }> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of bytes) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) as unknown };
    }
  }
}
