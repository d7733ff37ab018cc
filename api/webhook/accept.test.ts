import { expect, test } from '@jest/globals';
import { StoreError } from '../../store/error.ts';
import type { EnqueueRequest, Enqueued } from '../../store/request.ts';
import { accepting } from './accept.ts';

const request = (workflow: string): EnqueueRequest => ({ namespace: 'shop', workflow, mode: 'Webhook', trigger: { items: [] } });

/** A queue that refuses any batch with a request for `poison`, and knows no workflow `unknown`. */
function queueOf(error: Error) {
  const batches: string[][] = [];
  return {
    batches,
    async enqueue(requests: readonly EnqueueRequest[]): Promise<Enqueued[]> {
      const workflows = requests.map(({ workflow }) => workflow);
      batches.push(workflows);
      await new Promise((resolve) => { setImmediate(resolve); });
      if (workflows.includes('poison')) throw error;
      return workflows.map((workflow) => (workflow === 'unknown' ? { accepted: false, reason: 'WorkflowNotFound' } : { accepted: true, id: `id-${workflow}`, revision: 'r', duplicate: false }));
    },
  };
}

const settle = async (accept: (request: EnqueueRequest) => Promise<{ id: string }>, workflows: string[]) =>
  (await Promise.allSettled(workflows.map((workflow) => accept(request(workflow))))).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.id : (outcome.reason as { code: string }).code));

test('a request that PostgreSQL refuses harms no other of its batch', async () => {
  const queue = queueOf(new StoreError('PayloadRefused', 'no'));
  const accept = accepting(queue, { onBatch: () => undefined });
  expect(await settle(accept, ['a', 'b', 'c', 'poison', 'unknown', 'd'])).toEqual(['id-a', 'id-b', 'id-c', 'UnacceptablePayload', 'WorkflowNotFound', 'id-d']);
});

test('a database that is gone is not asked again for each request', async () => {
  const queue = queueOf(new StoreError('StoreUnavailable', 'gone'));
  const accept = accepting(queue, { onBatch: () => undefined });
  expect(await settle(accept, ['a', 'b', 'poison', 'd'])).toEqual(['Unavailable', 'Unavailable', 'Unavailable', 'Unavailable']);
  expect(queue.batches).toHaveLength(1);
});
