import type { NodeType } from '../engine/node-type.ts';
import { aggregateNode } from './aggregate/index.ts';
import { codeNode } from './code/index.ts';
import { compareDatasetsNode } from './compare-datasets/index.ts';
import { containerNode } from './container/index.ts';
import { convertToFileNode } from './convert-to-file/index.ts';
import { cryptoNode } from './crypto/index.ts';
import { dateTimeNode } from './date-time/index.ts';
import { byParts } from './distribute/distributed.ts';
import { errorTriggerNode } from './error-trigger/index.ts';
import { executeWorkflowTriggerNode } from './execute-workflow-trigger/index.ts';
import { executeWorkflowNode } from './execute-workflow/index.ts';
import { extractFromFileNode } from './extract-from-file/index.ts';
import { filterNode } from './filter/index.ts';
import { formTriggerNode } from './form-trigger/index.ts';
import { formNode } from './form/index.ts';
import { functionItemNode, functionNode } from './function/index.ts';
import { htmlNode } from './html/index.ts';
import { httpRequestNode } from './http-request/index.ts';
import { ifNode } from './if/index.ts';
import { itemListsNode } from './item-lists/index.ts';
import { limitNode } from './limit/index.ts';
import { manualTriggerNode } from './manual-trigger/index.ts';
import { markdownNode } from './markdown/index.ts';
import { mergeNode } from './merge/index.ts';
import { noOpNode } from './no-op/index.ts';
import { postgresNode } from './postgres/index.ts';
import { removeDuplicatesNode } from './remove-duplicates/index.ts';
import { renameKeysNode } from './rename-keys/index.ts';
import { respondToWebhookNode } from './respond-to-webhook/index.ts';
import { cronNode, intervalNode, scheduleTriggerNode } from './schedule-trigger/index.ts';
import { setNode } from './set/index.ts';
import { sortNode } from './sort/index.ts';
import { splitInBatchesNode } from './split-in-batches/index.ts';
import { splitOutNode } from './split-out/index.ts';
import { stopAndErrorNode } from './stop-and-error/index.ts';
import { summarizeNode } from './summarize/index.ts';
import { switchNode } from './switch/index.ts';
import { waitNode } from './wait/index.ts';
import { webhookNode } from './webhook/index.ts';
import { xmlNode } from './xml/index.ts';

const all: readonly NodeType[] = [
  manualTriggerNode, webhookNode, formTriggerNode, scheduleTriggerNode, cronNode, intervalNode, executeWorkflowTriggerNode, errorTriggerNode,
  ifNode, filterNode, switchNode, mergeNode, byParts(splitInBatchesNode, 'Loop'), executeWorkflowNode, waitNode, formNode, noOpNode, stopAndErrorNode,
  setNode, byParts(codeNode), functionNode, functionItemNode, splitOutNode, aggregateNode, summarizeNode, sortNode, limitNode, removeDuplicatesNode,
  renameKeysNode, compareDatasetsNode, itemListsNode, dateTimeNode, cryptoNode, htmlNode, xmlNode, markdownNode,
  convertToFileNode, extractFromFileNode,
  byParts(httpRequestNode), byParts(postgresNode), respondToWebhookNode, containerNode,
];

/** The built-in nodes by their short name. Adding one is a folder and a line here. */
export const nodeTypes: ReadonlyMap<string, NodeType> = new Map(all.map((node) => [node.type, node]));
