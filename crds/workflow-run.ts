import * as z from 'zod';
import { cel } from './cel.ts';
import { duration } from './duration.ts';
import { item } from './item.ts';
import type { KindDefinition } from './kind.ts';
import { commonColumns } from './kind.ts';
import { listAtomic } from './list.ts';
import { dnsLabel, nodeName, objectName, revisionHash } from './name.ts';
import { commonStatus, timestamp } from './status.ts';

/** Where a run stands. Succeeded, Failed and Canceled are final. */
export const RunPhase = {
  Pending: 'Pending', Running: 'Running', Waiting: 'Waiting', Succeeded: 'Succeeded', Failed: 'Failed', Canceled: 'Canceled',
} as const;
export type RunPhase = (typeof RunPhase)[keyof typeof RunPhase];

const spec = z.strictObject({
  workflowRef: z.strictObject({
    name: objectName.describe('Workflow in the same namespace.'),
    revision: revisionHash.describe('Run this stored revision. Default: the one that is published when the run starts; it is then kept to the end.').exactOptional(),
  }).describe('What is executed.'),
  mode: z.enum(['Production', 'Manual']).describe('Production (default) runs as a trigger would; Manual uses pinned data and does not save static data.').exactOptional(),
  startNode: nodeName.describe('Trigger node the run starts at. Default: the manual trigger, or else the only trigger.').exactOptional(),
  items: listAtomic(item, 100).describe('Items the trigger node puts out. Default: one empty item.').exactOptional(),
  priority: z.int32().min(0).max(9).describe('Instead of the priority of the workflow.').exactOptional(),
  runnerPool: dnsLabel.describe('Instead of the RunnerPool of the workflow.').exactOptional(),
  cancel: z.boolean().describe('Set to true to cancel the execution. Cannot be taken back.').exactOptional(),
  ttlAfterFinished: duration.describe('This object is deleted so long after the run has finished; the execution stays in the history. Default 24h.').exactOptional(),
}).meta(cel(
  ...['workflowRef', 'mode', 'startNode', 'items', 'priority', 'runnerPool'].map((field) => ({
    rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: `${field} cannot be changed: a run is one execution; create another WorkflowRun`,
    fieldPath: `.${field}`,
    reason: 'FieldValueForbidden' as const,
  })),
  {
    rule: '!(has(oldSelf.cancel) && oldSelf.cancel) || (has(self.cancel) && self.cancel)',
    message: 'cancel cannot be taken back; create another WorkflowRun',
    fieldPath: '.cancel',
    reason: 'FieldValueForbidden',
  },
)).describe('The execution that is wanted.');

const nodeCount = z.int32().min(0);

const status = z.strictObject({
  ...commonStatus,
  phase: z.enum(['Pending', 'Running', 'Waiting', 'Succeeded', 'Failed', 'Canceled'])
    .describe('Pending (queued), Running, Waiting (for a time or a call), Succeeded, Failed or Canceled.').exactOptional(),
  executionId: z.string().max(64).describe('The execution in the history: millrace runs get ID.').exactOptional(),
  revision: revisionHash.describe('Revision of the workflow that this run executes.').exactOptional(),
  startedAt: timestamp.describe('When a runner started it.').exactOptional(),
  finishedAt: timestamp.describe('When it ended.').exactOptional(),
  nodes: z.strictObject({
    succeeded: nodeCount.describe('Node runs that succeeded.').exactOptional(),
    failed: nodeCount.describe('Node runs that failed.').exactOptional(),
    compensated: nodeCount.describe('Node runs that were undone; absent when there was nothing to undo.').exactOptional(),
  }).describe('Node runs, once it has ended.').exactOptional(),
  failure: z.strictObject({
    node: nodeName.describe('Node that failed first.').exactOptional(),
    code: z.string().max(128).describe('Stable code of the error.'),
    message: z.string().max(1024).describe('What went wrong.'),
  }).describe('The first failure.').exactOptional(),
}).meta({ default: { observedGeneration: -1 } }).describe('The execution as the operator sees it.');

export type WorkflowRunSpec = z.infer<typeof spec>;
export type WorkflowRunStatus = z.infer<typeof status>;

export const workflowRun = {
  kind: 'WorkflowRun',
  plural: 'workflowruns',
  singular: 'workflowrun',
  shortNames: ['mrun'],
  description: 'One execution of a Workflow, asked for through the Kubernetes API.',
  spec,
  status,
  columns: [
    { name: 'Workflow', type: 'string', jsonPath: '.spec.workflowRef.name', description: 'What is executed.' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where the run stands.' },
    { name: 'Execution', type: 'string', jsonPath: '.status.executionId', description: 'The execution in the history.', priority: 1 },
    { name: 'Revision', type: 'string', jsonPath: '.status.revision', description: 'Revision it executes.', priority: 1 },
    { name: 'Started', type: 'date', jsonPath: '.status.startedAt', description: 'When a runner started it.', priority: 1 },
    { name: 'Finished', type: 'date', jsonPath: '.status.finishedAt', description: 'When it ended.', priority: 1 },
    ...commonColumns,
  ],
} as const satisfies KindDefinition;
