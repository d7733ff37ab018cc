import type { NodeTypes } from '../../runner/engine/graph.ts';
import type { Item } from '../../runner/engine/item.ts';
import { Compat } from '../../runner/engine/workflow.ts';
import type { WorkflowDefinition, WorkflowNode } from '../../runner/engine/workflow.ts';
import { importConnections } from './import-connections.ts';
import { importNode } from './import-node.ts';
import { Verdict } from './import-report.ts';
import type { NodeReport } from './import-report.ts';
import { importSettings } from './import-settings.ts';
import { isRecord, listOf, recordOf, unknownKeys } from './n8n-workflow.ts';
import type { JsonRecord, N8nNode, N8nWorkflow } from './n8n-workflow.ts';

/** Annotation that keeps, as JSON, what a Workflow has no place for, so that an export can give it back. */
export const ANNOTATION = 'millrace.dev/n8n';

const STICKY_NOTE = 'n8n-nodes-base.stickyNote';
const KNOWN = new Set(['name', 'active', 'nodes', 'connections', 'settings', 'pinData']);

export interface ImportOptions {
  /** Identity the workflow gets here. */
  id: string;
  nodeTypes: NodeTypes;
  /** Rules to follow. Default n8n-v2. */
  compat?: Compat;
}

export interface Imported {
  definition: WorkflowDefinition;
  /** One entry per node of the n8n workflow, in its order. */
  report: NodeReport[];
  annotations: Record<string, string>;
}

/** Turns a workflow exported from n8n into ours. Never throws: what cannot be taken over is in the report. */
export function importWorkflow(from: N8nWorkflow, options: ImportOptions): Imported {
  const nodes: WorkflowNode[] = [];
  const report: NodeReport[] = [];
  const names = new Set<string>();
  const kept: { workflow?: JsonRecord; settings?: JsonRecord; nodes: JsonRecord; stickyNotes: unknown[] } = { nodes: {}, stickyNotes: [] };
  for (const each of listOf(from.nodes)) {
    const refusal = refusalOf(each, names);
    if (refusal) {
      report.push(refusal);
    } else if ((each as N8nNode).type === STICKY_NOTE) {
      kept.stickyNotes.push(each);
      report.push({ node: (each as N8nNode).name, type: STICKY_NOTE, verdict: Verdict.Translated, reason: 'Notes on the canvas are kept as an annotation.' });
    } else {
      const imported = importNode(each as N8nNode, options.nodeTypes);
      names.add(imported.node.name);
      nodes.push(imported.node);
      report.push(imported.report);
      if (imported.unknown) kept.nodes[imported.node.name] = imported.unknown;
    }
  }
  const { settings, unknown } = importSettings(recordOf(from.settings));
  if (unknown) kept.settings = unknown;
  const rest = unknownKeys(from, KNOWN);
  if (rest) kept.workflow = rest;
  const pinData = importPinData(from.pinData, names);
  return {
    definition: {
      id: options.id,
      name: typeof from.name === 'string' && from.name !== '' ? from.name : options.id,
      ...(from['active'] === true ? { active: true } : {}),
      compat: options.compat ?? Compat.N8nV2,
      nodes,
      connections: importConnections(from.connections, (name) => names.has(name)),
      settings,
      ...(pinData ? { pinData } : {}),
    },
    report,
    annotations: { [ANNOTATION]: JSON.stringify(kept) },
  };
}

function refusalOf(each: unknown, names: ReadonlySet<string>): NodeReport | undefined {
  const { name, type } = recordOf(each);
  const about = { node: typeof name === 'string' ? name : '', type: typeof type === 'string' ? type : '', verdict: Verdict.Refused };
  if (about.node === '' || about.type === '') return { ...about, reason: 'A node needs a name and a type.' };
  return names.has(about.node) ? { ...about, reason: 'Another node has the same name; connections could not tell them apart. Rename one.' } : undefined;
}

/** Pinned items as the engine takes them; n8n also allows bare objects, and has no pinned files. */
function importPinData(pinData: unknown, names: ReadonlySet<string>): Record<string, Item[]> | undefined {
  const pinned = Object.entries(recordOf(pinData)).filter(([name, items]) => names.has(name) && Array.isArray(items));
  if (pinned.length === 0) return undefined;
  return Object.fromEntries(pinned.map(([name, items]) => [name, listOf(items).filter(isRecord).map(pinnedItem)]));
}

function pinnedItem(item: JsonRecord): Item {
  return { json: isRecord(item['json']) ? item['json'] : item };
}
