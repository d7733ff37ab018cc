import * as z from 'zod';
import { cel } from './cel.ts';
import { duration } from './duration.ts';
import { item } from './item.ts';
import type { KindDefinition } from './kind.ts';
import { commonColumns } from './kind.ts';
import { listAtomic, listMap, listSet } from './list.ts';
import { dnsLabel, nodeName, objectName, revisionHash } from './name.ts';
import { commonStatus } from './status.ts';
import { concurrencyLimit, rateLimit } from './workflow-limits.ts';
import { connection, workflowNode } from './workflow-node.ts';
import { circuitBreaker, retryBudget, transaction } from './workflow-resilience.ts';

const detail = z.enum(['All', 'Summary', 'None']);

const settings = z.strictObject({
  runnerPool: dnsLabel.describe('RunnerPool, in the namespace of the operator, whose runners execute this workflow. Default: default.').exactOptional(),
  priority: z.int32().min(0).max(9).describe('Executions with a higher priority are started first. Default 5.').exactOptional(),
  timeout: duration.describe('An execution that takes longer is canceled, for example 5m. Default: no limit.').exactOptional(),
  timezone: z.string().min(1).max(64).describe('IANA name, such as Europe/Berlin, for schedules and $now. Default UTC.').exactOptional(),
  isolation: z.enum(['pooled', 'pod']).describe('Run in shared runner pods (pooled, the default) or give each execution a pod of its own (pod).').exactOptional(),
  executionOrder: z.enum(['v0', 'v1']).describe('Depth first by canvas position (v1, the default) or the legacy breadth first order (v0).').exactOptional(),
  parallelBranches: z.int32().min(1).max(50).describe('Nodes of one execution that may run at the same time, where branches do not depend on one another. Default 1: one after the other.').exactOptional(),
  concurrency: concurrencyLimit.describe('Limit on executions that are under way at the same time. Default: none.').exactOptional(),
  rateLimit: rateLimit.describe('Limit on how fast executions start. Default: none.').exactOptional(),
  circuitBreaker: circuitBreaker.describe('Stop calling hosts whose requests fail, for the workflows of the namespace that have this setting. Default: call them always.').exactOptional(),
  retryBudget: retryBudget.describe('Limit on how often nodes with effects are tried again, so that many executions that fail together do not multiply the load. Default: none.').exactOptional(),
  transaction: transaction.describe('One database transaction over all nodes of an execution that use one credential: committed when the execution has succeeded, taken back when it does not. Default: each node for itself.').exactOptional(),
  deduplicationWindow: duration.describe('How long an Idempotency-Key of a trigger is remembered: a second request with it gets the first one\'s execution. Default 24h.').exactOptional(),
  save: z.strictObject({
    success: detail.describe('What is kept of successful executions: the data of every node (All, the default), timings and counts (Summary), or nothing.').exactOptional(),
    failure: detail.describe('What is kept of failed executions. Default All.').exactOptional(),
    progress: z.boolean().describe('Store the result of every node as it finishes, for live views. Default true.').exactOptional(),
  }).describe('What is kept of executions.').exactOptional(),
  compensationTimeout: duration.describe('Time for undoing what an execution did that failed, was canceled or took too long: for all its compensation branches together. Default 10m.').exactOptional(),
  errorWorkflow: objectName.describe('Workflow in the same namespace that is started when an execution fails.').exactOptional(),
  callerPolicy: z.enum(['any', 'none', 'list', 'sameOwner']).describe('Which workflows may call this one as a sub-workflow. Default sameOwner: those in the same namespace.').exactOptional(),
  callers: listSet(objectName, 100).describe('Workflows that may call this one when callerPolicy is list.').exactOptional(),
}).meta(cel({
  rule: "!has(self.parallelBranches) || self.parallelBranches == 1 || !has(self.executionOrder) || self.executionOrder == 'v1'",
  message: 'branches run at the same time in the order v1 only; set executionOrder: v1 or remove parallelBranches',
  fieldPath: '.parallelBranches',
  reason: 'FieldValueForbidden',
}, {
  rule: "!has(self.callers) || (has(self.callerPolicy) && self.callerPolicy == 'list')",
  message: 'callers is read only when callerPolicy is list; set callerPolicy: list or remove callers',
  fieldPath: '.callers',
  reason: 'FieldValueForbidden',
}));

/** Nodes one workflow may have. */
export const MAX_NODES = 1000;

const spec = z.strictObject({
  displayName: z.string().max(256).describe('Name that people see.').exactOptional(),
  description: z.string().max(8192).describe('What the workflow is for.').exactOptional(),
  folder: dnsLabel.describe('Folder, in the same namespace, that it is shown in.').exactOptional(),
  tags: listSet(z.string().min(1).max(63), 32).describe('Labels that people search by.').exactOptional(),
  active: z.boolean().describe('Whether webhooks and schedules start executions. A workflow that is not active may be unfinished. Default false.').exactOptional(),
  suspend: z.boolean().describe('Keep what is published as it is: changes of this object are not taken over while true.').exactOptional(),
  compat: z.enum(['millrace', 'n8n-v1', 'n8n-v2', 'n8n-v3']).describe('Whose rules hold where n8n versions differ. Default millrace.').exactOptional(),
  settings: settings.describe('How executions are run and kept.').exactOptional(),
  nodes: listMap(workflowNode, ['name'], MAX_NODES).describe('The steps, by name.'),
  connections: listMap(connection, ['from', 'output', 'to', 'input', 'type'], 4 * MAX_NODES).describe('The wires between the steps.').exactOptional(),
  pinData: z.record(nodeName, listAtomic(item, 1000)).meta({ maxProperties: MAX_NODES })
    .describe('Node name to items that stand in for its output in manual runs.').exactOptional(),
  revisionHistoryLimit: z.int32().min(0).max(100).describe('ControllerRevision copies of earlier revisions that are kept in the cluster. Default 10.').exactOptional(),
}).describe('The workflow as it should be.');

const registeredWebhook = z.strictObject({
  node: nodeName.describe('Name of the trigger node.'),
  method: z.string().max(16).describe('HTTP method it answers.'),
  path: z.string().max(1024).describe('URL path below the address of the installation.'),
}).describe('One webhook.');

const status = z.strictObject({
  ...commonStatus,
  revision: revisionHash.describe('Content hash of the published revision: what a new execution runs.').exactOptional(),
  nodes: z.int32().min(0).describe('Number of nodes in the published revision.').exactOptional(),
  webhooks: listMap(registeredWebhook, ['node', 'method', 'path'], MAX_NODES).describe('Where the active webhooks of this workflow answer.').exactOptional(),
}).meta({ default: { observedGeneration: -1 } }).describe('The workflow as the operator sees it.');

export type WorkflowSpec = z.infer<typeof spec>;
export type WorkflowStatus = z.infer<typeof status>;
export type RegisteredWebhook = z.infer<typeof registeredWebhook>;

export const workflow = {
  kind: 'Workflow',
  plural: 'workflows',
  singular: 'workflow',
  shortNames: ['mwf'],
  description: 'A graph of nodes that triggers start and runners execute.',
  spec,
  status,
  columns: [
    { name: 'Active', type: 'boolean', jsonPath: '.spec.active', description: 'Whether its triggers start executions.' },
    { name: 'Nodes', type: 'integer', jsonPath: '.status.nodes', description: 'Nodes in the published revision.', priority: 1 },
    { name: 'Pool', type: 'string', jsonPath: '.spec.settings.runnerPool', description: 'RunnerPool that executes it.', priority: 1 },
    { name: 'Revision', type: 'string', jsonPath: '.status.revision', description: 'Published revision.', priority: 1 },
    ...commonColumns,
  ],
  rules: [{
    rule: 'self.metadata.name.size() <= 63',
    message: 'metadata.name may have at most 63 characters, because it becomes the value of a label',
  }],
} as const satisfies KindDefinition;
