import type { NodeType } from '../engine/node-type.ts';
import type { WorkflowNode } from '../engine/workflow.ts';

/** A check for `problems`: the named text parameters have to be there. What an expression gives is not known before. */
export const missingParameters = (...names: readonly string[]): NonNullable<NodeType['problems']> => ({ parameters = {} }: WorkflowNode) =>
  names.filter((name) => (parameters[name] ?? '') === '').map((parameter) => ({ parameter, message: `The parameter '${parameter}' is missing. Fill it in.` }));
