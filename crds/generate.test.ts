import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { escapeTemplate } from './artifacts.ts';
import { artifacts, outdated } from './generate.ts';

test('every generated file is current: run npm run generate', async () => {
  const stale = await outdated();
  expect(stale.map(({ path }) => path)).toEqual([]);
});

test('plain definitions parse back', () => {
  const plain = artifacts().filter(({ path }) => path.startsWith('crds/generated/'));
  expect(plain.flatMap(({ content }) => parseAllDocuments(content).map((document) => document.getIn(['kind'])))).toEqual(plain.map(() => 'CustomResourceDefinition'));
});

test('braces in descriptions survive Helm', () => {
  expect(escapeTemplate('={{ $json.a }}')).toBe('={{ "{{" }} $json.a }}');
});
