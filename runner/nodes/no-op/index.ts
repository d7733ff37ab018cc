import type { NodeType } from '../../engine/node-type.ts';

/** Hands its items on. */
export const noOpNode: NodeType = {
  type: 'noOp', displayName: 'No Operation', group: 'flow', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Hands its items on unchanged. Useful to join branches or to mark a place.',
  parameters: [],
  execute: (context) => [[...context.input()]],
};
