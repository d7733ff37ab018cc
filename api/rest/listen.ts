import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowSpec } from '../../crds/workflow.ts';
import { definitionOf } from '../../operator/controllers/workflow/definition.ts';
import { formTriggers } from '../../operator/controllers/workflow/form-triggers.ts';
import { webhookTriggers } from '../../operator/controllers/workflow/webhook-triggers.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import type { RouteTrigger } from '../../store/route.ts';
import type { Store } from '../../store/store.ts';
import { formTestPrefix } from '../form/form-ingress.ts';
import { ApiError } from '../problem.ts';
import { testPrefix } from '../webhook/test-ingress.ts';
import { streamEndpoint } from './endpoint.ts';
import type { Endpoint, StreamEvent } from './endpoint.ts';
import { followExecution } from './follow-execution.ts';
import { Execution, Listen, Listening, ListenQuery, NodeRunSummary, WorkflowPath } from './schemas.ts';

export interface ListenOptions {
  store: Pick<Store, 'executions' | 'listeners' | 'revisions' | 'routes'>;
  baseUrl: string | undefined;
}

const lookMs = 250;

type Key = { namespace: string; workflow: string };

/** Testing webhooks: the one call that comes within two minutes is executed, from the draft in the body, and shown as it goes on. */
export function listenEndpoints({ store, baseUrl }: ListenOptions): Endpoint[] {
  return [
    streamEndpoint({
      method: 'post', path: '/namespaces/{namespace}/workflows/{workflow}/listen', operationId: 'listenWorkflow', summary: 'Wait for one call of a test URL, execute it and follow that',
      params: WorkflowPath, query: ListenQuery, body: Listen, events: { listening: Listening, execution: Execution, node: NodeRunSummary },
      // A draft can be any workflow: whoever may execute it may as well change the one that is there.
      permission: ({ params: { namespace, workflow: name } }) => [
        { verb: 'create', resource: 'workflowruns', namespace }, { verb: 'update', resource: 'workflows', namespace, name },
      ],
      stream: ({ params: { namespace, workflow }, query, body, signal }) => listen({ namespace, workflow }, { store, baseUrl, draft: body.spec, ms: query.seconds * 1000, signal }),
    }),
  ];
}

async function* listen(
  key: Key, { store, baseUrl = '', draft, ms, signal }: ListenOptions & { draft: WorkflowSpec | undefined; ms: number; signal: AbortSignal },
): AsyncGenerator<StreamEvent> {
  const { revision, definition } = await revisionFor(key, store, draft);
  const triggers = triggersOf(definition);
  const id = await store.listeners.open({ ...key, revision, triggers }, { ttlMs: ms });
  try {
    const urls = triggers.flatMap((trigger) => {
      if (trigger.kind === 'Form') return [{ node: trigger.node, method: 'GET', url: `${baseUrl}${formTestPrefix}${key.namespace}/${trigger.path}` }];
      return trigger.kind === 'Webhook' ? [{ node: trigger.node, method: trigger.method, url: `${baseUrl}${testPrefix}${key.namespace}/${trigger.path}` }] : [];
    });
    yield { event: 'listening', data: { urls, until: new Date(Date.now() + ms).toISOString() } };
    const executionId = await called(store, id, { ms, signal });
    if (executionId === undefined) return;
    yield* followExecution(async () => {
      const execution = await store.executions.get(executionId);
      if (execution) return execution;
      throw new ApiError('ExecutionNotFound', `The execution ${executionId} is not kept.`);
    }, signal);
  } finally {
    await store.listeners.close(id);
  }
}

/** The execution that a call has started, once it can be read; undefined when none came in time. */
async function called({ listeners, executions }: ListenOptions['store'], id: string, { ms, signal }: { ms: number; signal: AbortSignal }): Promise<string | undefined> {
  for (let waited = 0; waited <= ms && !signal.aborted; waited += lookMs) {
    const executionId = await listeners.called(id);
    if (executionId !== undefined && await executions.get(executionId)) return executionId;
    await pause(lookMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
  return undefined;
}

/** The published revision, or that of the draft, which is stored to be executed. Throws WorkflowNotFound and ObjectRefused. */
async function revisionFor(key: Key, { routes, revisions }: ListenOptions['store'], draft: WorkflowSpec | undefined): Promise<{ revision: string; definition: WorkflowDefinition }> {
  const route = await routes.get(key);
  if (!route) throw new ApiError('WorkflowNotFound', `There is no workflow ${key.workflow} in namespace ${key.namespace}.`);
  if (draft !== undefined) {
    const definition = definitionOf({ metadata: { namespace: key.namespace, name: key.workflow }, spec: draft });
    return { definition, revision: (await revisions.put({ ...key, uid: route.uid, definition })).revision };
  }
  const definition = await revisions.get(route.stable);
  if (definition) return { revision: route.stable, definition };
  throw new ApiError('WorkflowNotFound', `Workflow ${key.workflow} has no stored revision.`);
}

function triggersOf(definition: WorkflowDefinition): RouteTrigger[] {
  const [webhooks, forms] = [webhookTriggers(definition), formTriggers(definition)];
  const problems = [...webhooks.problems, ...forms.problems];
  const triggers = [...webhooks.triggers, ...forms.triggers];
  if (problems.length > 0) throw new ApiError('ObjectRefused', 'The draft has webhooks or forms that cannot be called.', { details: problems });
  if (triggers.length === 0) throw new ApiError('ObjectRefused', 'The workflow has no webhook or form to call.');
  return triggers;
}
