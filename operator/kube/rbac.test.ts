import { expect, test } from '@jest/globals';
import { mergeRules, owns, patches, reads, writes, writesStatus } from './rbac.ts';
import { resource } from './resource.ts';

const A = resource({ group: 'example.dev', version: 'v1', plural: 'as', kind: 'A' });
const B = resource({ group: 'example.dev', version: 'v1', plural: 'bs', kind: 'B' });
const Pod = resource({ group: '', version: 'v1', plural: 'pods', kind: 'Pod' });

test('rules are merged into the fewest, in a stable order', () => {
  const declared = [...reads(A, B, Pod), ...writes(Pod), ...reads(Pod), ...writesStatus(A, B), ...owns(A), ...patches(A)];
  const want = [
    { apiGroups: ['example.dev'], resources: ['as'], verbs: ['get', 'list', 'patch', 'watch'] },
    { apiGroups: ['example.dev'], resources: ['as/finalizers'], verbs: ['update'] },
    { apiGroups: ['example.dev'], resources: ['as/status', 'bs/status'], verbs: ['patch'] },
    { apiGroups: ['example.dev'], resources: ['bs'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'] },
  ];
  expect(mergeRules(declared)).toEqual(want);
  expect(mergeRules([...declared].reverse())).toEqual(want);
});
