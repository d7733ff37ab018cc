import type { z } from 'zod';
import { Workflow, WorkflowRun } from '../../operator/controllers/resources.ts';
import type { Cluster, RequestOptions } from '../../operator/kube/cluster.ts';
import { apiVersionOf, collectionPath, objectPath } from '../../operator/kube/resource.ts';
import { actAs } from '../auth/act-as.ts';
import type { User } from '../auth/kubernetes-auth.ts';
import { kubeProblem } from '../kube-problem.ts';
import { ApiError } from '../problem.ts';
import { decidedByCluster, jsonEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { ApplyQuery, DeletedObject, NamespacePath, NoBody, NoQuery, NewRun, WorkflowManifest, WorkflowPath, WrittenObject, WriteQuery } from './schemas.ts';

type Write = Pick<RequestOptions, 'method' | 'query' | 'body' | 'contentType'>;

/** A write that the API server has carried out, or with `dryRun` would have. */
type Written = z.input<typeof WrittenObject>;

/**
 * Writing objects of the cluster. Every write is the user's own: made in their name, with their rights and under a field manager
 * that they choose. Admission and RBAC decide as if they had used kubectl, and the audit log names them.
 */
export function objectEndpoints(cluster: Pick<Cluster, 'request'>): Endpoint[] {
  const write = async (user: User, path: string, { query, ...request }: Write): Promise<Written> => {
    const warnings: string[] = [];
    try {
      const object = await cluster.request<Record<string, unknown>>(path, { ...request, ...(query && { query }), asUser: actAs(user), onWarning: (warning) => warnings.push(warning) });
      return { object, warnings };
    } catch (error) {
      throw kubeProblem(error);
    }
  };
  const activation = (active: boolean) => jsonEndpoint({
    method: 'post', path: `/namespaces/{namespace}/workflows/{workflow}/${active ? 'activate' : 'deactivate'}`,
    operationId: active ? 'activateWorkflow' : 'deactivateWorkflow', summary: active ? 'Let triggers start executions of a workflow' : 'Let triggers start no more executions of a workflow',
    params: WorkflowPath, query: WriteQuery, body: NoBody, status: 200, answer: WrittenObject, permission: decidedByCluster,
    handle: ({ user, params, query }) => write(user, pathOf(params), {
      method: 'PATCH', contentType: 'application/merge-patch+json', query: options(query), body: { spec: { active } },
    }),
  });

  return [
    jsonEndpoint({
      method: 'put', path: '/namespaces/{namespace}/workflows/{workflow}', operationId: 'applyWorkflow', summary: 'Create a Workflow, or set the fields given (server-side apply)',
      params: WorkflowPath, query: ApplyQuery, body: WorkflowManifest, status: 200, answer: WrittenObject, permission: decidedByCluster,
      handle: ({ user, params, query, body: { metadata, spec } }) => {
        const { namespace, workflow: name } = params;
        if (metadata?.name !== undefined && metadata.name !== name) throw new ApiError('InvalidRequest', 'The name in the manifest is not the one in the path.');
        if (metadata?.namespace !== undefined && metadata.namespace !== namespace) throw new ApiError('InvalidRequest', 'The namespace in the manifest is not the one in the path.');
        const body = { apiVersion: apiVersionOf(Workflow), kind: Workflow.kind, metadata: { ...metadata, namespace, name }, spec };
        return write(user, pathOf(params), { method: 'PATCH', contentType: 'application/apply-patch+yaml', query: { ...options(query), force: query.force }, body });
      },
    }),
    activation(true),
    activation(false),
    jsonEndpoint({
      method: 'delete', path: '/namespaces/{namespace}/workflows/{workflow}', operationId: 'deleteWorkflow', summary: 'Delete a Workflow; executions under way are waited for',
      params: WorkflowPath, query: NoQuery, body: NoBody, status: 200, answer: DeletedObject, permission: decidedByCluster,
      handle: async ({ user, params }) => {
        const { warnings } = await write(user, pathOf(params), { method: 'DELETE', body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' } });
        return { warnings };
      },
    }),
    jsonEndpoint({
      method: 'post', path: '/namespaces/{namespace}/workflowruns', operationId: 'createWorkflowRun', summary: 'Create a WorkflowRun: an execution that the cluster shows',
      params: NamespacePath, query: WriteQuery, body: NewRun, status: 201, answer: WrittenObject, permission: decidedByCluster,
      handle: ({ user, params: { namespace }, query, body: { metadata, spec } }) => {
        const body = { apiVersion: apiVersionOf(WorkflowRun), kind: WorkflowRun.kind, metadata: { generateName: `${spec.workflowRef.name.slice(0, 57).replace(/[-.]+$/, '')}-`, ...metadata, namespace }, spec };
        return write(user, collectionPath(WorkflowRun, namespace), { method: 'POST', query: options(query), body });
      },
    }),
  ];
}

function pathOf({ namespace, workflow }: z.output<typeof WorkflowPath>): string {
  return objectPath(Workflow, `${namespace}/${workflow}`);
}

function options({ fieldManager, dryRun }: z.output<typeof WriteQuery>): Record<string, string | undefined> {
  return { fieldManager, dryRun: dryRun === 'true' ? 'All' : undefined, fieldValidation: 'Strict' };
}
