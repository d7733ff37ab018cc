import { expect, test } from '@jest/globals';
import { Cache } from './cache.ts';
import { toIndex, toOwner } from './mapping.ts';
import { ownerReference } from './owner-reference.ts';
import { anyOf, ignoreStatus, metadataChanged, specChanged, statusChanged } from './predicate.ts';
import { resource } from './resource.ts';
import { watch } from './watch.ts';
import type { AnyObject, Key, ObjectMeta } from './object.ts';

interface Thing extends AnyObject {
  secret?: string;
  status?: object;
}
const Thing = resource<Thing>({ group: 'example.dev', version: 'v1', plural: 'things', kind: 'Thing' });

function thing(meta: Partial<ObjectMeta> = {}, rest: Partial<Thing> = {}): Thing {
  return { apiVersion: 'example.dev/v1', kind: 'Thing', metadata: { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '1', generation: 1, ...meta }, ...rest };
}

function cache(onError: (err: unknown) => void = (err) => expect(err).toBeUndefined()): Cache<Thing> {
  return new Cache({ resource: Thing, onError });
}

test('a child maps to its controller owner of the kind, in whatever version, and to no other owner', () => {
  const owner = thing();
  const child = (...ownerReferences: ReturnType<typeof ownerReference>[]): Thing => thing({ name: 'child', ownerReferences });
  const map = toOwner(Thing);
  expect(map(child(ownerReference(owner)))).toEqual(['ns/a']);
  expect(map(child({ ...ownerReference(owner), apiVersion: 'example.dev/v1beta1' }))).toEqual(['ns/a']);
  expect(map(child({ ...ownerReference(owner), apiVersion: 'other.dev/v1' }))).toEqual([]);
  expect(map(child({ ...ownerReference(owner), kind: 'Other' }))).toEqual([]);
  expect(map(child({ ...ownerReference(owner), controller: false }))).toEqual([]);
  expect(map(thing())).toEqual([]);
  expect(toOwner({ ...Thing, namespaced: false })(child(ownerReference(owner)))).toEqual(['/a']);
});

test('a reference needs an owner that was read from the server', () => {
  const { uid: _uid, ...metadata } = thing().metadata;
  expect(() => ownerReference({ ...thing(), metadata })).toThrow('uid');
});

test('an index maps a named object to those that name it', () => {
  const c = cache();
  c.addIndex('secret', ({ secret }) => (secret === undefined ? [] : [secret]));
  c.replace([thing({ name: 'x' }, { secret: 's' }), thing({ name: 'y' }, { secret: 't' })], '1');
  expect(toIndex(c, 'secret', ({ metadata }: AnyObject) => metadata.name)(thing({ name: 's' }))).toEqual(['ns/x']);
});

const was = thing();
test.each([
  { name: 'spec', after: thing({ generation: 2 }), want: { specChanged: true, metadataChanged: false, statusChanged: false, ignoreStatus: true } },
  { name: 'labels', after: thing({ labels: { a: 'b' } }), want: { specChanged: false, metadataChanged: true, statusChanged: false, ignoreStatus: true } },
  { name: 'deletion', after: thing({ deletionTimestamp: 'now' }), want: { specChanged: false, metadataChanged: true, statusChanged: false, ignoreStatus: true } },
  { name: 'status', after: thing({ resourceVersion: '2' }, { status: { a: 1 } }), want: { specChanged: false, metadataChanged: false, statusChanged: true, ignoreStatus: false } },
  { name: 'another object of the same name', after: thing({ uid: 'v' }), want: { specChanged: true, metadataChanged: true, statusChanged: true, ignoreStatus: true } },
])('predicates on a change of $name', ({ after, want }) => {
  const change = { key: 'ns/a' as Key, before: was, after };
  expect({
    specChanged: specChanged(change),
    metadataChanged: metadataChanged(change),
    statusChanged: statusChanged(change),
    ignoreStatus: ignoreStatus(change),
  }).toEqual(want);
  expect(anyOf(specChanged, statusChanged)(change)).toBe(want.specChanged || want.statusChanged);
});

test('kinds without a generation are never filtered by ignoreStatus', () => {
  const { generation: _generation, ...metadata } = thing().metadata;
  expect(ignoreStatus({ key: 'ns/a', before: { ...was, metadata }, after: { ...was, metadata } })).toBe(true);
});

test('objects that appear or go pass every predicate', () => {
  for (const predicate of [specChanged, metadataChanged, statusChanged, ignoreStatus]) {
    expect(predicate({ key: 'ns/a', before: undefined, after: was })).toBe(true);
    expect(predicate({ key: 'ns/a', before: was, after: undefined })).toBe(true);
  }
});

test('a watch reports what is there, then changes, on both sides of a move', () => {
  const c = cache();
  c.replace([thing({ name: 'x' }, { secret: 'one' })], '1');
  const keys: Key[] = [];
  const stop = watch(c, { to: ({ secret }) => [`ns/${secret}`] }).start({ enqueue: (key) => keys.push(key), failed: ({ err }) => expect(err).toBeUndefined() });
  c.upsert(thing({ name: 'x', resourceVersion: '2' }, { secret: 'two' }));
  stop();
  c.upsert(thing({ name: 'x', resourceVersion: '3' }, { secret: 'three' }));
  expect(keys).toEqual(['ns/one', 'ns/one', 'ns/two']);
});

test('a mapping that throws can be tried again with the same change', () => {
  const c = cache();
  let broken = true;
  const keys: Key[] = [];
  const again: (() => void)[] = [];
  watch(c, {
    to: ({ metadata }) => {
      if (broken) throw new Error('broken');
      return [`ns/${metadata.name}`];
    },
  }).start({ enqueue: (key) => keys.push(key), failed: (failure) => again.push(failure.again) });
  c.replace([thing()], '1');
  again.shift()?.();
  broken = false;
  again.shift()?.();
  expect([keys, again]).toEqual([['ns/a'], []]);
});
