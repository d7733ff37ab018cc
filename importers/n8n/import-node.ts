import type { NodeTypes } from '../../runner/engine/graph.ts';
import { OnError } from '../../runner/engine/workflow.ts';
import type { RetryPolicy, WorkflowNode } from '../../runner/engine/workflow.ts';
import { Verdict } from './import-report.ts';
import type { NodeReport } from './import-report.ts';
import { isRecord, recordOf, unknownKeys } from './n8n-workflow.ts';
import type { JsonRecord, N8nNode } from './n8n-workflow.ts';

const BASE = 'n8n-nodes-base.';
const ON_ERROR: Readonly<Record<string, OnError>> = {
  stopWorkflow: OnError.Stop, continueRegularOutput: OnError.Continue, continueErrorOutput: OnError.ErrorOutput,
};
/** Keys that a WorkflowNode carries; `id` and the rest are kept aside. */
const KNOWN = new Set([
  'name', 'type', 'typeVersion', 'position', 'parameters', 'credentials', 'disabled', 'notes', 'webhookId', 'executeOnce',
  'alwaysOutputData', 'retryOnFail', 'maxTries', 'waitBetweenTries', 'onError', 'continueOnFail',
]);

export interface ImportedNode {
  node: WorkflowNode;
  report: NodeReport;
  /** What our node has no place for. */
  unknown?: JsonRecord;
}

/** Our name of a node type: n8n's own without its package, those of other packages in full. */
export function typeName(n8nType: string): string {
  return n8nType.startsWith(BASE) ? n8nType.slice(BASE.length) : n8nType;
}

export function importNode(from: N8nNode, nodeTypes: NodeTypes): ImportedNode {
  const type = typeName(from.type);
  const retry = retryOf(from);
  const onError = onErrorOf(from);
  const credentials = credentialsOf(from);
  const unknown = { ...unknownKeys(from, KNOWN), ...credentialIds(from) };
  const node: WorkflowNode = {
    name: from.name,
    type,
    ...(typeof from['typeVersion'] === 'number' ? { typeVersion: from['typeVersion'] } : {}),
    ...(isPosition(from['position']) ? { position: from['position'] } : {}),
    ...(isRecord(from['parameters']) ? { parameters: from['parameters'] } : {}),
    ...(credentials ? { credentials } : {}),
    ...flags(from),
    ...(retry ? { retry } : {}),
    ...(onError ? { onError } : {}),
    ...text(from, 'webhookId'),
    ...text(from, 'notes'),
  };
  return { node, report: reportOf(from, node, nodeTypes), ...(Object.keys(unknown).length > 0 ? { unknown } : {}) };
}

function reportOf(from: N8nNode, node: WorkflowNode, nodeTypes: NodeTypes): NodeReport {
  const about = { node: from.name, type: from.type };
  const known = nodeTypes.get(node.type);
  if (!known) {
    return { ...about, verdict: Verdict.Stubbed, reason: `There is no node type '${node.type}' yet. The node is kept with its settings and fails when it is reached; replace or disable it.` };
  }
  if (node.typeVersion !== undefined && !known.versions.includes(node.typeVersion)) {
    return { ...about, verdict: Verdict.Translated, reason: `Version ${node.typeVersion} runs with the rules of ${known.versions.join(', ')}; check its result.` };
  }
  return { ...about, verdict: Verdict.Supported };
}

function isPosition(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === 'number');
}

function flags(from: N8nNode): Pick<WorkflowNode, 'disabled' | 'executeOnce' | 'alwaysOutputData'> {
  return {
    ...(from['disabled'] === true ? { disabled: true } : {}),
    ...(from['executeOnce'] === true ? { executeOnce: true } : {}),
    ...(from['alwaysOutputData'] === true ? { alwaysOutputData: true } : {}),
  };
}

function text<K extends 'webhookId' | 'notes'>(from: N8nNode, key: K): Partial<Record<K, string>> {
  const value = from[key];
  return typeof value === 'string' && value !== '' ? ({ [key]: value } as Record<K, string>) : {};
}

/** n8n keeps tries between 2 and 5 and pauses up to 5 s, and takes 0 and nothing for its defaults of 3 and 1 s. */
function retryOf(from: N8nNode): RetryPolicy | undefined {
  if (from['retryOnFail'] !== true) return undefined;
  const maxTries = Math.min(5, Math.max(2, positive(from['maxTries'], 3)));
  const wait = Math.min(5000, positive(from['waitBetweenTries'], 1000));
  return { maxTries, wait: `${wait}ms` };
}

function positive(value: unknown, fallback: number): number {
  const number = Math.round(Number(value));
  return Number.isFinite(number) && number > 0 ? number : fallback;
}

function onErrorOf(from: N8nNode): OnError | undefined {
  if (typeof from['onError'] === 'string') return ON_ERROR[from['onError']];
  return from['continueOnFail'] === true ? OnError.Continue : undefined;
}

/** By name: ids mean something only in the n8n they come from. */
function credentialsOf(from: N8nNode): WorkflowNode['credentials'] {
  const entries = Object.entries(recordOf(from['credentials'])).flatMap(([type, value]) => {
    const name = typeof value === 'string' ? value : recordOf(value)['name'];
    return typeof name === 'string' && name !== '' ? [[type, { name }] as const] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function credentialIds(from: N8nNode): { credentialIds?: JsonRecord } {
  const ids = Object.entries(recordOf(from['credentials'])).flatMap(([type, value]) => {
    const id = recordOf(value)['id'];
    return id === undefined || id === null ? [] : [[type, id] as const];
  });
  return ids.length === 0 ? {} : { credentialIds: Object.fromEntries(ids) };
}
