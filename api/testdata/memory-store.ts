import { buffer } from 'node:stream/consumers';
import type { WebhookResponse } from '../../runner/engine/node-run.ts';
import type { StoreError } from '../../store/error.ts';
import type { ExecutionDetail, Reply } from '../../store/executions.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import type { Route, RouteListener } from '../../store/route.ts';
import type { Store } from '../../store/store.ts';

/**
 * As much of a store as the HTTP side of the api needs, in memory, with a runner that answers at once: for tests of requests that
 * never get as far as a database. What the real store does is tested with the real one.
 */
export class MemoryStore {
  readonly accepted: EnqueueRequest[] = [];
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
          return { accepted: true, id: `e${this.accepted.length - 1}`, revision: 'r', duplicate: false } as const;
        });
      },
      cancel: async (ids: readonly string[]) => ids.filter((id) => this.detail.get(id)?.status === 'Running'),
    },
    replies: {
      address: 'here',
      wait: async (id: string, { signal }: { signal: AbortSignal }): Promise<Reply> => {
        const request = this.accepted[Number(id.slice(1))];
        const reply = request && this.answer(request);
        if (reply) return { executionId: id, status: 'Succeeded', ...reply };
        return new Promise((_resolve, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });
      },
    },
    binaries: {
      write: async ({ id }: { executionId: string; id: string }, source: AsyncIterable<Uint8Array>) => {
        const bytes = await buffer(source);
        this.files.set(id, bytes);
        return { size: bytes.length, sha256: 'digest' };
      },
    },
    executions: {
      get: async (id: string) => this.detail.get(id),
      list: async () => ({ executions: [...this.detail.values()].map(({ nodes: _nodes, hasItems: _hasItems, ...execution }) => execution) }),
      nodeRuns: async () => [],
    },
    now: () => 1_700_000_000_000,
    health: async () => (this.failure ? { ok: false, latencyMs: 1, code: this.failure.code } : { ok: true, latencyMs: 1 }),
  };

  /** As the server takes it: the rest of a store is never called here. */
  get store(): Store {
    return this.parts as unknown as Store;
  }
}

export const ok: WebhookResponse = { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body: '{}', encoding: 'utf8' };
