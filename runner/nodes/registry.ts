import type { NodeType } from '../engine/node-type.ts';
import { codeNode } from './code/index.ts';
import { errorTriggerNode } from './error-trigger/index.ts';
import { executeWorkflowTriggerNode } from './execute-workflow-trigger/index.ts';
import { executeWorkflowNode } from './execute-workflow/index.ts';
import { filterNode } from './filter/index.ts';
import { functionItemNode, functionNode } from './function/index.ts';
import { ifNode } from './if/index.ts';
import { manualTriggerNode } from './manual-trigger/index.ts';
import { mergeNode } from './merge/index.ts';
import { noOpNode } from './no-op/index.ts';
import { respondToWebhookNode } from './respond-to-webhook/index.ts';
import { scheduleTriggerNode } from './schedule-trigger/index.ts';
import { setNode } from './set/index.ts';
import { splitInBatchesNode } from './split-in-batches/index.ts';
import { stopAndErrorNode } from './stop-and-error/index.ts';
import { switchNode } from './switch/index.ts';
import { waitNode } from './wait/index.ts';
import { webhookNode } from './webhook/index.ts';

const all: readonly NodeType[] = [
  manualTriggerNode, webhookNode, scheduleTriggerNode, executeWorkflowTriggerNode, errorTriggerNode,
  ifNode, filterNode, switchNode, mergeNode, splitInBatchesNode, executeWorkflowNode, waitNode, noOpNode, stopAndErrorNode,
  setNode, codeNode, functionNode, functionItemNode,
  respondToWebhookNode,
];

/** The built-in nodes by their short name. Adding one is a folder and a line here. */
export const nodeTypes: ReadonlyMap<string, NodeType> = new Map(all.map((node) => [node.type, node]));
