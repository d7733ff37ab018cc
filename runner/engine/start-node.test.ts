import { describe, expect, test } from '@jest/globals';
import type { NodeType } from './node-type.ts';
import { startNode } from './start-node.ts';

const trigger = { group: 'trigger' } as NodeType;
const types = new Map<string, NodeType>([['manualTrigger', trigger], ['webhook', trigger], ['set', { group: 'data' } as NodeType]]);
const workflow = (...nodes: [name: string, type: string, disabled?: boolean][]) => ({
  id: 'w', name: 'w', connections: [], nodes: nodes.map(([name, type, disabled]) => ({ name, type, disabled: disabled ?? false })),
});

describe('startNode', () => {
  test.each([
    { name: 'the named node', given: workflow(['Hook', 'webhook'], ['A', 'set']), named: 'A', want: 'A' },
    { name: 'the manual trigger', given: workflow(['Hook', 'webhook'], ['Start', 'manualTrigger']), named: undefined, want: 'Start' },
    { name: 'the only trigger', given: workflow(['A', 'set'], ['Hook', 'webhook']), named: undefined, want: 'Hook' },
    { name: 'a disabled trigger does not count', given: workflow(['Off', 'manualTrigger', true], ['Hook', 'webhook']), named: undefined, want: 'Hook' },
  ])('takes $name', ({ given, named, want }) => expect(startNode(given, types, named)).toBe(want));

  test.each([
    { name: 'no trigger', given: workflow(['A', 'set']), named: undefined },
    { name: 'several triggers', given: workflow(['One', 'webhook'], ['Two', 'webhook']), named: undefined },
    { name: 'a name that is not there', given: workflow(['A', 'set']), named: 'B' },
  ])('refuses $name', ({ given, named }) => expect(() => startNode(given, types, named)).toThrow(expect.objectContaining({ code: 'StartNodeMissing' })));
});
