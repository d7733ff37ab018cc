import { buffer } from 'node:stream/consumers';
import type { NodeRun, WebhookResponse } from '../../runner/engine/node-run.ts';
import type { StoreError } from '../../store/error.ts';
import type { ExecutionDetail, Reply } from '../../store/executions.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import type { ResumeCall, Waiting } from '../../store/lease.ts';
import type { Listener } from '../../store/listeners.ts';
import type { Route, RouteListener, WorkflowKey } from '../../store/route.ts';
import type { Store } from '../../store/store.ts';

/**
 * As much of a store as the HTTP side of the api needs, in memory, with a runner that answers at once: for tests of requests that
 * never get as far as a database. What the real store does is tested with the real one.
 */
export class MemoryStore {
  readonly accepted: EnqueueRequest[] = [];
  readonly definitions = new Map<string, WorkflowDefinition>();
  readonly waiting = new Map<string, Waiting>();
  readonly resumed: ResumeCall[] = [];
  readonly open = new Map<string, Listener & { executionId?: string }>();
  readonly files = new Map<string, Buffer>();
  readonly detail = new Map<string, ExecutionDetail>();
  /** What the workflow answers; undefined: nothing, ever. */
  answer: ((request: EnqueueRequest) => Partial<Reply> | undefined) = (request) => ({ response: { ...ok, body: JSON.stringify(request.trigger.items[0]?.json) } });
  failure: StoreError | undefined;
  listener: RouteListener | undefined;
  routeList: Route[] = [];
  lists = 0;

  readonly parts = {
    routes: {
      watch: async (listener: RouteListener) => {
        this.listener = listener;
        listener.replace(this.routeList);
        return async () => undefined;
      },
      get: async ({ namespace, workflow }: WorkflowKey) => this.routeList.find((route) => route.namespace === namespace && route.workflow === workflow),
      list: async () => {
        this.lists += 1;
        return this.routeList;
      },
    },
    queue: {
      enqueue: async (requests: readonly EnqueueRequest[]) => {
        if (this.failure) throw this.failure;
        return requests.map((request) => {
          this.accepted.push(request);
          return { accepted: true, id: request.id ?? `e${this.accepted.length - 1}`, revision: 'r', duplicate: false } as const;
        });
      },
      waiting: async (id: string) => this.waiting.get(id),
      resume: async (call: ResumeCall) => {
        const waits = this.waiting.delete(call.executionId);
        if (waits) this.resumed.push(call);
        return waits;
      },
      cancel: async (ids: readonly string[]) => ids.filter((id) => this.detail.get(id)?.status === 'Running'),
    },
    replies: {
      address: 'here',
      wait: async (id: string, { signal }: { signal: AbortSignal }): Promise<Reply> => {
        const request = this.accepted.find((one) => one.id === id) ?? this.accepted[Number(id.slice(1))];
        const reply = request && this.answer(request);
        if (reply) return { executionId: id, status: 'Succeeded', ...reply };
        return new Promise((_resolve, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });
      },
    },
    resumeTokens: { of: (id: string) => `token-${id}`, matches: (id: string, token: string) => token === `token-${id}` },
    listeners: {
      open: async (listener: Omit<Listener, 'id'>) => {
        const id = `l${this.open.size}`;
        this.open.set(id, { ...listener, id });
        return id;
      },
      waiting: async (namespace: string) => [...this.open.values()].filter((listener) => listener.namespace === namespace && listener.executionId === undefined).reverse(),
      claim: async (id: string, executionId: string) => {
        const listener = this.open.get(id);
        if (!listener || listener.executionId !== undefined) return false;
        listener.executionId = executionId;
        return true;
      },
      unclaim: async (id: string) => {
        const { executionId: _, ...listener } = this.open.get(id) ?? { executionId: '' };
        if ('id' in listener) this.open.set(id, listener);
      },
      called: async (id: string) => this.open.get(id)?.executionId,
      close: async (id: string) => { this.open.delete(id); },
    },
    revisions: {
      get: async (revision: string) => this.definitions.get(revision),
      put: async ({ definition }: { definition: WorkflowDefinition }) => {
        const revision = `r${this.definitions.size}`;
        this.definitions.set(revision, definition);
        return { revision, created: true };
      },
    },
    binaries: {
      writeBytes: 2 ** 21,
      write: async ({ id }: { executionId: string; id: string }, source: AsyncIterable<Uint8Array>) => {
        const bytes = await buffer(source);
        this.files.set(id, bytes);
        return { size: bytes.length, sha256: 'digest' };
      },
    },
    executions: {
      get: async (id: string) => this.detail.get(id),
      statuses: async (ids: readonly string[]) => ids.flatMap((id) => this.detail.get(id) ?? []),
      list: async () => ({ executions: [...this.detail.values()].map(({ nodes: _nodes, hasItems: _hasItems, ...execution }) => execution) }),
      nodeRuns: async (): Promise<NodeRun[]> => [],
    },
    now: () => 1_700_000_000_000,
    health: async () => (this.failure ? { ok: false, latencyMs: 1, code: this.failure.code } : { ok: true, latencyMs: 1 }),
    objectStorageProblem: () => undefined,
  };

  /** As the server takes it: the rest of a store is never called here. */
  get store(): Store {
    return this.parts as unknown as Store;
  }
}

export const ok: WebhookResponse = { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body: '{}', encoding: 'utf8' };
