import type { NodeType } from '../engine/node-type.ts';
import { errorTriggerNode } from './error-trigger/index.ts';
import { filterNode } from './filter/index.ts';
import { ifNode } from './if/index.ts';
import { manualTriggerNode } from './manual-trigger/index.ts';
import { noOpNode } from './no-op/index.ts';
import { switchNode } from './switch/index.ts';

const all: readonly NodeType[] = [
  manualTriggerNode, errorTriggerNode,
  ifNode, filterNode, switchNode, noOpNode,
];

/** The built-in nodes by their short name. Adding one is a folder and a line here. */
export const nodeTypes: ReadonlyMap<string, NodeType> = new Map(all.map((node) => [node.type, node]));
