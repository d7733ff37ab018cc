import { ExecutionStatus } from '../../runner/engine/node-run.ts';
import type { ExecutionResult, NodeRun } from '../../runner/engine/node-run.ts';
import type { BinaryReference, Item, JsonObject } from '../../runner/engine/item.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import type { RecordedItem, RecordedRun, SingleRecording } from './case.ts';

const STATUS: Partial<Record<ExecutionStatus, string>> = {
  [ExecutionStatus.Succeeded]: 'success', [ExecutionStatus.Failed]: 'error', [ExecutionStatus.Canceled]: 'canceled', [ExecutionStatus.Waiting]: 'waiting',
};

/** What the case's own workflow, execution and base address are called, so that the recording can be told from chance. */
export const WORKFLOW_ID = '<workflow-id>';
export const EXECUTION_ID = 'conformance-execution';
export const BASE_URL = 'http://conformance.example';

/** A result in the suite's shape, without what differs from run to run. */
export function recordingOf(result: ExecutionResult, workflow: WorkflowDefinition): SingleRecording {
  const types = new Map(workflow.nodes.map(({ name, type }) => [name, type]));
  const nodes: Record<string, RecordedRun[]> = {};
  for (const run of result.runs) (nodes[run.node] ??= []).push(recordedRun(run, types.get(run.node)));
  const recording: SingleRecording = {
    status: STATUS[result.status] ?? result.status,
    ...(result.error ? { error: result.error } : {}),
    ...(result.lastNode === undefined ? {} : { lastNode: result.lastNode }),
    order: result.runs.map(({ node, runIndex }) => `${node}#${runIndex}`),
    nodes,
  };
  const text = JSON.stringify(recording).replaceAll(new RegExp(`${EXECUTION_ID}(-[0-9a-z]+)*`, 'g'), '<execution-id>').replaceAll(BASE_URL, '<base-url>');
  return JSON.parse(text) as SingleRecording;
}

function recordedRun(run: NodeRun, type: string | undefined): RecordedRun {
  return {
    status: run.status,
    source: run.source.map((source) => source && { ...source }),
    outputs: run.outputs.map((items) => items && items.map((item) => recordedItem(item, type))),
    ...(run.error ? { error: run.error } : {}),
  };
}

function recordedItem(item: Item, type: string | undefined): RecordedItem {
  const { json, pairedItem, binary } = item;
  return {
    json: type === 'errorTrigger' ? recordedErrorReport(json) : json,
    ...(pairedItem === undefined ? {} : { pairedItem }),
    ...(binary && Object.keys(binary).length > 0 ? { binary: Object.fromEntries(Object.entries(binary).map(([name, file]) => [name, recordedFile(file)])) } : {}),
  };
}

function recordedFile({ mimeType, fileExtension, fileName, directory, size, sha256 }: BinaryReference): Record<string, unknown> {
  return { mimeType, fileExtension, fileName, directory, size, sha256 };
}

/** The suite keeps only these fields of an error report. */
function recordedErrorReport(json: JsonObject): JsonObject {
  const { execution, workflow } = json as { execution: JsonObject & { error: JsonObject }; workflow: unknown };
  const { name, message, node } = execution.error;
  const { id, lastNodeExecuted, mode } = execution;
  return { execution: { id, url: '<url>', error: { name, message, node }, lastNodeExecuted, mode }, workflow };
}
