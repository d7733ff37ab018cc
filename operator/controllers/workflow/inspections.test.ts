import { expect, test } from '@jest/globals';
import { nodeTypes } from '../../../runner/nodes/registry.ts';
import { revisionOf } from '../../../store/revisions.ts';
import type { Workflow } from '../resources.ts';
import { definitionOf } from './definition.ts';
import { inspect } from './inspect.ts';
import { Inspections } from './inspections.ts';

const workflow = (spec: object): Workflow => ({ metadata: { name: 'w', namespace: 'n' }, spec: { nodes: [{ name: 'Start', type: 'manualTrigger' }], ...spec } }) as Workflow;

test('says what inspecting says, and which revision the spec is', () => {
  const inspections = new Inspections(nodeTypes);
  for (const one of [workflow({}), workflow({ nodes: [{ name: 'A', type: 'sett' }], active: true })]) {
    const definition = definitionOf(one);
    expect(inspections.prepare(one)).toBe(one);
    expect(inspections.of(one)).toEqual({ ...inspect(one, definition, nodeTypes), revision: revisionOf(definition) });
  }
});

test('inspects each state once', () => {
  const inspections = new Inspections(nodeTypes);
  const [one, other] = [inspections.prepare(workflow({})), workflow({})];
  expect(inspections.of(one)).toBe(inspections.of(one));
  expect(inspections.of(other)).not.toBe(inspections.of(one));
});

test('one that cannot be inspected fails when it is asked about, and not before', () => {
  const inspections = new Inspections(nodeTypes);
  const broken = { metadata: { name: 'w' }, spec: {} } as Workflow;
  expect(inspections.prepare(broken)).toBe(broken);
  expect(() => inspections.of(broken)).toThrow(TypeError);
});
