import type { DeadLetter as Stored, DeadLetterDetail as StoredDetail, DeadLetterFilter } from '../../store/dead-letters.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';
import { jsonEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { showNodeRun } from './execution-view.ts';
import { DeadLetterDetail, DeadLetterList, DeadLetterPath, DeadLetterQuery, Done } from './queue-schemas.ts';
import { NamespacePath, NoBody, NoPath, NoQuery } from './schemas.ts';

/** Reading, repeating and forgetting executions that were given up. Rights: those on workflowruns. */
export function deadLetterEndpoints({ deadLetters }: Pick<Store, 'deadLetters'>): Endpoint[] {
  const list = async ({ workflow, limit, cursor }: { workflow?: string | undefined; limit: number; cursor?: string | undefined }, namespace?: string) => {
    const filter: DeadLetterFilter = { limit, ...(namespace !== undefined && { namespace }), ...(workflow !== undefined && { workflow }), ...(cursor !== undefined && { cursor }) };
    const page = await deadLetters.list(filter);
    return { items: page.deadLetters.map(show), ...(page.next === undefined ? {} : { cursor: page.next }) };
  };

  /** Only of the namespace the caller was allowed for. */
  const get = async ({ namespace, id }: { namespace: string; id: string }): Promise<StoredDetail> => {
    const letter = await deadLetters.get(id);
    if (letter?.namespace === namespace) return letter;
    throw notFound(namespace, id);
  };

  /** Only one of several callers does it. */
  const settle = (act: (id: string) => Promise<boolean>) => async ({ params }: { params: { namespace: string; id: string } }) => {
    await get(params);
    if (!(await act(params.id))) throw notFound(params.namespace, params.id);
    return { id: params.id };
  };

  return [
    jsonEndpoint({
      method: 'get', path: '/dead-letters', operationId: 'listAllDeadLetters', summary: 'Executions of all namespaces that were given up, newest first',
      params: NoPath, query: DeadLetterQuery.omit({ workflow: true }), body: NoBody, status: 200, answer: DeadLetterList,
      permission: () => ({ verb: 'list', resource: 'workflowruns' }),
      handle: ({ query }) => list(query),
    }),
    jsonEndpoint({
      method: 'get', path: '/namespaces/{namespace}/dead-letters', operationId: 'listDeadLetters', summary: 'Executions that were given up, newest first',
      params: NamespacePath, query: DeadLetterQuery, body: NoBody, status: 200, answer: DeadLetterList,
      permission: ({ params }) => ({ verb: 'list', resource: 'workflowruns', namespace: params.namespace }),
      handle: ({ params, query }) => list(query, params.namespace),
    }),
    jsonEndpoint({
      method: 'get', path: '/namespaces/{namespace}/dead-letters/{id}', operationId: 'getDeadLetter', summary: 'What an execution was doing when it was given up',
      params: DeadLetterPath, query: NoQuery, body: NoBody, status: 200, answer: DeadLetterDetail,
      permission: ({ params }) => ({ verb: 'get', resource: 'workflowruns', namespace: params.namespace }),
      handle: async ({ params }) => {
        const { runs, trigger, lastNode, ...letter } = await get(params);
        const items = trigger.items.map((item) => ({ ...item }));
        return { ...show(letter), trigger: { ...trigger, items }, runs: runs.map(showNodeRun), ...(lastNode === undefined ? {} : { lastNode }) };
      },
    }),
    jsonEndpoint({
      method: 'post', path: '/namespaces/{namespace}/dead-letters/{id}/requeue', operationId: 'requeueDeadLetter', summary: 'Let the execution go on from its last checkpoint',
      params: DeadLetterPath, query: NoQuery, body: NoBody, status: 202, answer: Done,
      permission: ({ params }) => ({ verb: 'create', resource: 'workflowruns', namespace: params.namespace }),
      handle: settle((id) => deadLetters.requeue(id)),
    }),
    jsonEndpoint({
      method: 'delete', path: '/namespaces/{namespace}/dead-letters/{id}', operationId: 'discardDeadLetter', summary: 'Forget trigger and checkpoints; the failed execution stays in the history',
      params: DeadLetterPath, query: NoQuery, body: NoBody, status: 200, answer: Done,
      permission: ({ params }) => ({ verb: 'delete', resource: 'workflowruns', namespace: params.namespace }),
      handle: settle((id) => deadLetters.discard(id)),
    }),
  ];
}

function notFound(namespace: string, id: string): ApiError {
  return new ApiError('DeadLetterNotFound', `There is no dead letter ${id} in namespace ${namespace}.`);
}

function show({ createdAt, buriedAt, crashes, ...letter }: Stored) {
  return {
    ...letter, createdAt: new Date(createdAt).toISOString(), buriedAt: new Date(buriedAt).toISOString(),
    crashes: crashes.map(({ reason, runner, claimedAt, crashedAt, checkpoints }) => ({ reason, runner, claimedAt, crashedAt, checkpoints })),
  };
}
