import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { REFERENCE_FILE, renderReference } from './reference.ts';
import { nodeTypes } from './registry.ts';

test('docs/nodes.md is current', () => expect(readFileSync(REFERENCE_FILE, 'utf8')).toBe(renderReference()));

test.each([...nodeTypes.values()])('$type is described in full', (node) => {
  expect([...node.versions].sort((a, b) => a - b)).toEqual(node.versions);
  expect(new Set(node.parameters.map(({ name }) => name)).size).toBe(node.parameters.length);
  for (const text of [node.description, ...node.parameters.map(({ description }) => description)]) expect(text).toMatch(/[.)`]$/);
  expect(node.group === 'trigger').toBe(node.inputs === 0);
});
