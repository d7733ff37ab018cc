import { z } from 'zod';
import { workflow } from '../../crds/workflow.ts';
import { workflowRun } from '../../crds/workflow-run.ts';
import { ExecutionMode, ExecutionStatus } from '../../runner/engine/node-run.ts';

/** What the API speaks. These schemas validate requests, make the OpenAPI document, and type the client of the command line. */

export const Status = z.enum(ExecutionStatus);
export const Mode = z.enum(ExecutionMode);

const timestamp = z.iso.datetime();
const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/).max(253);
export const executionId = z.string().regex(/^[\w-]{1,64}$/);

export const NamespacePath = z.strictObject({ namespace: name.describe('Kubernetes namespace of the workflow.') });
export const ExecutionPath = NamespacePath.extend({ id: executionId.describe('Id of the execution.') });
export const NodePath = ExecutionPath.extend({ node: z.string().min(1).max(256).describe('Name of the node.') });
export const WorkflowPath = NamespacePath.extend({ workflow: name.describe('Name of the Workflow.') });

export const Failure = z.object({
  code: z.string().describe('Stable code.'),
  message: z.string(),
  description: z.string().optional(),
  node: z.string().optional(),
  itemIndex: z.int().optional(),
  parameter: z.string().optional(),
  runIndex: z.int().optional(),
});

export const Execution = z.object({
  id: z.string(),
  namespace: z.string(),
  workflow: z.string(),
  revision: z.string().describe('Content hash of the revision that is executed.'),
  status: Status,
  mode: Mode,
  pool: z.string().describe('RunnerPool that executes it.'),
  priority: z.int(),
  attempts: z.int().describe('How often a runner has claimed it.'),
  createdAt: timestamp.describe('When it was accepted.'),
  startedAt: timestamp.optional(),
  finishedAt: timestamp.optional(),
  lastNode: z.string().optional(),
  error: Failure.optional(),
  crashes: z.int().describe('How often it took the process that executed it down.'),
  runner: z.string().optional().describe('Runner that executes or executed it.'),
  parent: z.string().optional().describe('Execution that called this one.'),
  workflowRun: z.string().optional().describe('UID of the WorkflowRun that asked for it.'),
  counts: z.object({ succeeded: z.int(), failed: z.int() }).optional().describe('Node runs; after the end only.'),
  compensated: z.int().optional().describe('How many node runs were undone, when the execution did not succeed and there was something to undo.'),
});

/** One run of one node without its data. */
export const NodeRunSummary = z.object({
  node: z.string(),
  runIndex: z.int(),
  status: z.enum(['success', 'error']),
  startedAt: timestamp,
  durationMs: z.number(),
  items: z.array(z.int().nullable()).readonly().describe('Number of items per output; null for an output that was never written.'),
  error: Failure.optional(),
  cached: z.literal(true).optional().describe('Present when the node did not execute: the result is that of an earlier run.'),
  compensation: z.literal(true).optional().describe('Present when it belongs to a branch that undid another run.'),
});

const item = z.looseObject({ json: z.record(z.string(), z.unknown()) });

const source = z.object({ node: z.string(), output: z.int(), run: z.int() });

/** One run of one node with its items. */
export const NodeRunData = NodeRunSummary.extend({
  source: z.array(source.nullable()).readonly().describe('Per input, where its items came from; null for an input nothing arrived at.'),
  outputs: z.array(z.array(item).readonly().nullable()).readonly().describe('Items per output; null for an output that was never written.'),
});

export const NodeRuns = z.object({ items: z.array(NodeRunData).readonly().describe('Empty when the data is not kept, or not yet.') });

export const ExecutionDetail = Execution.extend({
  nodes: z.array(NodeRunSummary).readonly().describe('Node runs in the order in which they ended.'),
  hasItems: z.boolean().describe('Whether the items of the nodes can be read.'),
});

export const ExecutionList = z.object({
  items: z.array(Execution).readonly(),
  cursor: z.string().optional().describe('Pass it as `cursor` to get the next page; absent on the last one.'),
});

export const ExecutionQuery = z.strictObject({
  workflow: name.optional().describe('Only executions of this Workflow.'),
  status: Status.optional().describe('Only executions with this status.'),
  mode: Mode.optional().describe('Only executions that were started so.'),
  since: timestamp.optional().describe('Only executions accepted at or after this time.'),
  until: timestamp.optional().describe('Only executions accepted before this time.'),
  search: z.string().min(1).max(200).optional().describe('Only finished executions whose error (code, node, message) has all of these words or beginnings of words; or executions whose id begins so, from 8 characters on.'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Page size.'),
  cursor: z.string().max(512).optional().describe('Where the previous page ended.'),
});

export const RetryQuery = z.strictObject({
  from: z.enum(['start', 'failed']).default('start').describe('failed: begin at the node that failed, with the items that the earlier execution gave it.'),
});

export const NoPath = z.strictObject({});
export const NoQuery = z.strictObject({});
export const NoBody = z.undefined();

export const Trigger = z.strictObject({
  node: z.string().min(1).max(256).optional().describe('Trigger node to start at. Default: the manual trigger, or else the only one.'),
  items: z.array(item).min(1).max(10_000).optional().describe('What the trigger node puts out. Default: one empty item.'),
  partial: z.strictObject({
    from: z.string().min(1).max(256).exactOptional().describe('Start at this node, with what `dataOf` or pinned data give its inputs.'),
    to: z.string().min(1).max(256).exactOptional().describe('Run only what this node needs, and stop after it.'),
    dataOf: executionId.exactOptional().describe('An earlier execution of the workflow whose items are kept: they stand for the nodes before the part.'),
  }).optional().describe('Execute a part of the workflow.'),
  idempotencyKey: z.string().min(1).max(255).optional().describe('A request with a key that was accepted before starts nothing and gives the earlier execution.'),
});

export const TriggerQuery = z.strictObject({
  wait: z.coerce.number().int().min(0).max(100).default(0).describe('Seconds to wait for the execution to end. The answer says how far it is by then.'),
});

export const Accepted = z.object({
  id: z.string().describe('Id of the execution.'),
  duplicate: z.boolean().describe('Whether an earlier request with the same idempotency key had started it.'),
  execution: ExecutionDetail.optional().describe('Present when asked to wait.'),
});

const flag = z.enum(['true', 'false']).default('false');
const objectMeta = {
  name: name.optional(), namespace: name.optional(),
  labels: z.record(z.string(), z.string()).optional(), annotations: z.record(z.string(), z.string()).optional(),
};

export const WriteQuery = z.strictObject({
  fieldManager: z.string().regex(/^[\x21-\x7e]{1,128}$/).default('millrace').describe('Who the API server records as manager of the fields written.'),
  dryRun: flag.describe('Check and admit, but store nothing.'),
});

export const ApplyQuery = WriteQuery.extend({ force: flag.describe('Take fields over from other managers.') });

export const WorkflowManifest = z.strictObject({
  apiVersion: z.literal('millrace.dev/v1alpha1').optional(), kind: z.literal('Workflow').optional(),
  metadata: z.strictObject(objectMeta).optional(), spec: workflow.spec.partial(),
}).describe('A Workflow. Name and namespace are those of the path.');

export const NewRun = z.strictObject({
  apiVersion: z.literal('millrace.dev/v1alpha1').optional(), kind: z.literal('WorkflowRun').optional(),
  metadata: z.strictObject({ ...objectMeta, generateName: z.string().max(200).optional() }).optional(),
  spec: workflowRun.spec,
}).describe('A WorkflowRun; without a name it gets one that begins with that of the workflow.');

const warnings = z.array(z.string()).readonly().describe('What admission warns of.');

export const WrittenObject = z.object({ object: z.record(z.string(), z.unknown()).describe('The object as the API server stored it.'), warnings });

export const DeletedObject = z.object({ warnings });

export const Listen = z.strictObject({
  spec: workflow.spec.optional().describe('Spec of a Workflow to execute instead of the published one; nothing is applied.'),
});

export const ListenQuery = z.strictObject({
  seconds: z.coerce.number().int().min(1).max(120).default(120).describe('How long to listen.'),
});

export const Listening = z.object({
  urls: z.array(z.object({ node: z.string(), method: z.string(), url: z.string().describe('Without host when the server does not know its own address.') })).readonly(),
  until: timestamp.describe('When listening ends.'),
});

export type Execution = z.output<typeof Execution>;
export type ExecutionDetail = z.output<typeof ExecutionDetail>;
export type NodeRunSummary = z.output<typeof NodeRunSummary>;
export type NodeRunData = z.output<typeof NodeRunData>;
export type ExecutionList = z.output<typeof ExecutionList>;
export type Accepted = z.output<typeof Accepted>;
