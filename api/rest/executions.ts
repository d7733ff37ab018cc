import { ExecutionMode, ExecutionStatus } from '../../runner/engine/node-run.ts';
import type { ExecutionDetail as StoredDetail } from '../../store/executions.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';
import type { Accept } from '../webhook/accept.ts';
import { jsonEndpoint, streamEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { showDetail, showExecution, showNodeRun } from './execution-view.ts';
import { followExecution } from './follow-execution.ts';
import { Accepted, Execution, ExecutionDetail, ExecutionList, ExecutionPath, ExecutionQuery, NamespacePath, NoBody, NodePath, NodeRuns, NodeRunSummary, NoPath, NoQuery, RetryQuery } from './schemas.ts';

export interface ExecutionOptions {
  store: Pick<Store, 'executions' | 'queue'>;
  accept: Accept;
}

const finished: readonly string[] = [ExecutionStatus.Succeeded, ExecutionStatus.Failed, ExecutionStatus.Canceled];

/** Reading, canceling and repeating executions. Rights: those on workflowruns, which are the same things asked for through Kubernetes. */
export function executionEndpoints({ store, accept }: ExecutionOptions): Endpoint[] {
  const list = async (query: { workflow?: string | undefined; status?: ExecutionStatus | undefined; mode?: ExecutionMode | undefined; since?: string | undefined; until?: string | undefined; search?: string | undefined; limit: number; cursor?: string | undefined }, namespace?: string) => {
    const { workflow, status, mode, since, until, search, limit, cursor } = query;
    const page = await store.executions.list({
      limit,
      ...(namespace === undefined ? {} : { namespace }),
      ...(workflow === undefined ? {} : { workflow }),
      ...(status === undefined ? {} : { status }),
      ...(mode === undefined ? {} : { mode }),
      ...(since === undefined ? {} : { since: Date.parse(since) }),
      ...(until === undefined ? {} : { until: Date.parse(until) }),
      ...(search === undefined ? {} : { search }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    return { items: page.executions.map(showExecution), ...(page.next === undefined ? {} : { cursor: page.next }) };
  };

  /** Only of the namespace the caller was allowed for. */
  const get = async ({ namespace, id }: { namespace: string; id: string }): Promise<StoredDetail> => {
    const execution = await store.executions.get(id);
    if (execution?.namespace === namespace) return execution;
    throw new ApiError('ExecutionNotFound', `There is no execution ${id} in namespace ${namespace}.`);
  };

  return [
    jsonEndpoint({
      method: 'get', path: '/executions', operationId: 'listAllExecutions', summary: 'Executions of all namespaces, newest first',
      params: NoPath, query: ExecutionQuery.omit({ workflow: true }), body: NoBody, status: 200, answer: ExecutionList,
      permission: () => ({ verb: 'list', resource: 'workflowruns' }),
      handle: ({ query }) => list(query),
    }),
    jsonEndpoint({
      method: 'get', path: '/namespaces/{namespace}/executions', operationId: 'listExecutions', summary: 'Executions, newest first',
      params: NamespacePath, query: ExecutionQuery, body: NoBody, status: 200, answer: ExecutionList,
      permission: ({ params }) => ({ verb: 'list', resource: 'workflowruns', namespace: params.namespace }),
      handle: ({ params, query }) => list(query, params.namespace),
    }),
    jsonEndpoint({
      method: 'get', path: '/namespaces/{namespace}/executions/{id}', operationId: 'getExecution', summary: 'One execution with its node runs, without their data',
      params: ExecutionPath, query: NoQuery, body: NoBody, status: 200, answer: ExecutionDetail,
      permission: ({ params }) => ({ verb: 'get', resource: 'workflowruns', namespace: params.namespace }),
      handle: async ({ params }) => showDetail(await get(params)),
    }),
    jsonEndpoint({
      method: 'get', path: '/namespaces/{namespace}/executions/{id}/nodes/{node}', operationId: 'getNodeRuns', summary: 'All runs of one node with their items',
      params: NodePath, query: NoQuery, body: NoBody, status: 200, answer: NodeRuns,
      permission: ({ params }) => ({ verb: 'get', resource: 'workflowruns', namespace: params.namespace }),
      handle: async ({ params }) => {
        await get(params);
        return { items: (await store.executions.nodeRuns(params.id, { node: params.node })).map(showNodeRun) };
      },
    }),
    streamEndpoint({
      method: 'get', path: '/namespaces/{namespace}/executions/{id}/events', operationId: 'followExecution', summary: 'An execution as it goes on, until it ends',
      params: ExecutionPath, query: NoQuery, body: NoBody, events: { execution: Execution, node: NodeRunSummary },
      permission: ({ params }) => ({ verb: 'get', resource: 'workflowruns', namespace: params.namespace }),
      stream: ({ params, signal }) => followExecution(() => get(params), signal),
    }),
    jsonEndpoint({
      method: 'post', path: '/namespaces/{namespace}/executions/{id}/cancel', operationId: 'cancelExecution', summary: 'Cancel an unfinished execution',
      params: ExecutionPath, query: NoQuery, body: NoBody, status: 202, answer: Execution,
      permission: ({ params }) => ({ verb: 'update', resource: 'workflowruns', namespace: params.namespace }),
      handle: async ({ params }) => {
        await get(params);
        const canceled = await store.queue.cancel([params.id]);
        const execution = await get(params);
        if (canceled.length === 0) throw new ApiError('ExecutionNotCancelable', `The execution has ended as ${execution.status}.`);
        return showExecution(summaryOf(execution));
      },
    }),
    jsonEndpoint({
      method: 'post', path: '/namespaces/{namespace}/executions/{id}/retry', operationId: 'retryExecution', summary: 'Execute the same revision again, from its start or from the node that failed',
      params: ExecutionPath, query: RetryQuery, body: NoBody, status: 202, answer: Accepted,
      permission: ({ params }) => ({ verb: 'create', resource: 'workflowruns', namespace: params.namespace }),
      handle: async ({ params, query }) => {
        const execution = await get(params);
        const trigger = await triggerOf(execution, store.executions);
        const { id, duplicate } = await accept({
          namespace: execution.namespace, workflow: execution.workflow, revision: execution.revision, mode: ExecutionMode.Retry,
          trigger: query.from === 'failed' ? { ...trigger, partial: { from: failedNode(execution), dataOf: execution.id } } : trigger,
        });
        return { id, duplicate };
      },
    }),
  ];
}

/** Where to go on: what ran before it is not run again, its items are taken from the history. */
function failedNode({ error, nodes, hasItems, compensated }: StoredDetail): string {
  if (compensated !== undefined) throw new ApiError('ExecutionNotRetryable', 'What came before the failed node was undone: repeat it from its start.');
  const node = error?.node ?? nodes.findLast(({ status }) => status === 'error')?.node;
  if (node === undefined) throw new ApiError('ExecutionNotRetryable', 'No node failed: repeat it from its start.');
  if (!hasItems) throw new ApiError('ExecutionNotRetryable', 'The items of its nodes are not kept: repeat it from its start.');
  return node;
}

function summaryOf({ nodes: _nodes, hasItems: _hasItems, ...execution }: StoredDetail) {
  return execution;
}

/** What started an execution: the first node that ran without a source, and what it put out. */
async function triggerOf(execution: StoredDetail, executions: Store['executions']) {
  if (!finished.includes(execution.status) || execution.status === ExecutionStatus.Succeeded) {
    throw new ApiError('ExecutionNotRetryable', `The execution is ${execution.status}.`);
  }
  const first = execution.nodes[0];
  const [run] = first ? await executions.nodeRuns(execution.id, { node: first.node, runIndex: first.runIndex }) : [];
  if (!run || run.source.length > 0) throw new ApiError('ExecutionNotRetryable', 'The items that started the execution are not kept.');
  return { node: run.node, items: run.outputs[0] ?? [] };
}
