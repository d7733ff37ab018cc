import { expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Cache } from './cache.ts';
import { resource } from './resource.ts';
import type { CacheOptions } from './cache.ts';
import type { AnyObject, Key } from './object.ts';

interface Thing extends AnyObject {
  team?: string;
}
const Thing = resource<Thing>({ group: 'example.dev', version: 'v1', plural: 'things', kind: 'Thing' });

function thing(name: string, version: number, rest: { uid?: string; team?: string; namespace?: string } = {}): Thing {
  const { uid = name, team, namespace = 'ns' } = rest;
  return {
    apiVersion: 'example.dev/v1',
    kind: 'Thing',
    metadata: { name, namespace, uid, resourceVersion: String(version) },
    ...(team === undefined ? {} : { team }),
  };
}

function cache(options: Partial<CacheOptions<Thing>> = {}): Cache<Thing> {
  return new Cache({
    resource: Thing,
    onError: (err) => {
      throw err;
    },
    ...options,
  });
}

const names = (c: Cache<Thing>): string[] => c.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();

test('a list replaces everything and tells only the differences', () => {
  const c = cache();
  c.replace([thing('a', 1), thing('b', 2), thing('c', 3)], '5');
  const told: string[] = [];
  c.subscribe(({ key, before, after }) => told.push(`${key} ${before?.metadata.resourceVersion} -> ${after?.metadata.resourceVersion}`));
  c.replace([thing('a', 1), thing('b', 7), thing('d', 8)], '9');
  expect(told.sort()).toEqual(['ns/b 2 -> 7', 'ns/c 3 -> undefined', 'ns/d undefined -> 8']);
  expect(names(c)).toEqual(['a@1', 'b@7', 'd@8']);
});

test('managedFields are dropped and the transform is applied, also to what is offered', () => {
  const c = cache({ transform: (object) => ({ ...object, team: 'trimmed' }) });
  c.replace([], '1');
  const written = thing('a', 2);
  (written.metadata as { managedFields?: unknown }).managedFields = [{}];
  c.offer(written);
  expect(c.get('ns/a')).toMatchObject({ team: 'trimmed' });
  expect(c.get('ns/a')?.metadata).not.toHaveProperty('managedFields');
  expect(written.metadata).toHaveProperty('managedFields');
});

test('indexes follow every change', () => {
  const c = cache();
  c.replace([thing('a', 1, { team: 'x' }), thing('b', 2, { team: 'x' })], '2');
  c.addIndex('team', (object) => (object.team === undefined ? [] : [object.team]));
  expect(c.keysByIndex('team', 'x')).toEqual(['ns/a', 'ns/b']);
  c.upsert(thing('a', 3, { team: 'y' }));
  expect(c.byIndex('team', 'x').map(({ metadata }) => metadata.name)).toEqual(['b']);
  expect(c.keysByIndex('team', 'y')).toEqual(['ns/a']);
  c.remove(thing('b', 4));
  expect(c.keysByIndex('team', 'x')).toEqual([]);
});

test('a listener or an index that throws keeps nothing from the others', () => {
  const onError = jest.fn();
  const c = cache({ onError });
  c.addIndex('bad', () => {
    throw new Error('index');
  });
  c.subscribe(() => {
    throw new Error('listener');
  });
  const told: Key[] = [];
  c.subscribe(({ key }) => told.push(key));
  c.replace([thing('a', 1)], '1');
  expect(told).toEqual(['ns/a']);
  expect(onError).toHaveBeenCalledTimes(2);
});

test('an own write shows at once, and its watch event changes nothing more', () => {
  const c = cache();
  c.replace([thing('a', 1)], '5');
  const told: Key[] = [];
  c.subscribe(({ key }) => told.push(key));
  c.offer(thing('a', 6));
  c.offer(thing('new', 7));
  expect(names(c)).toEqual(['a@6', 'new@7']);
  c.upsert(thing('a', 6));
  c.upsert(thing('new', 7));
  expect(told).toEqual(['ns/a', 'ns/new']);
});

test.each([
  { name: 'its deletion has been seen', offered: thing('a', 6), want: [] as string[] },
  { name: 'the watch is beyond it', offered: thing('b', 7), want: [] },
  { name: 'it is of another namespace', offered: thing('b', 20, { namespace: 'other' }), want: [] },
])('an own write is not believed when $name', ({ offered, want }) => {
  const c = cache({ namespace: 'ns' });
  c.replace([thing('a', 1)], '5');
  c.remove(thing('a', 8));
  c.offer(offered);
  expect(names(c)).toEqual(want);
});

test('a cache with a selector does not take in what it cannot tell to belong', () => {
  const c = cache({ selective: true });
  c.replace([thing('a', 1)], '5');
  c.offer(thing('b', 6));
  c.offer(thing('a', 7));
  expect(names(c)).toEqual(['a@7']);
  // The write made it leave the selector: the watch says so with the version of that very write.
  c.remove(thing('a', 7));
  expect(names(c)).toEqual([]);
});

test('a list that began before an own write does not undo it', () => {
  const c = cache();
  c.replace([thing('a', 1)], '5');
  c.offer(thing('a', 9));
  c.offer(thing('b', 10));
  c.replace([thing('a', 1)], '8');
  expect(names(c)).toEqual(['a@9', 'b@10']);
});

test('after a restored backup the list is believed', () => {
  const c = cache();
  c.replace([thing('a', 50), thing('b', 60)], '100');
  c.replace([thing('a', 40)], '45');
  expect(names(c)).toEqual(['a@40']);
  c.upsert(thing('b', 47));
  expect(names(c)).toEqual(['a@40', 'b@47']);
});

test('with versions that are not numbers it follows the watch', () => {
  const c = cache();
  const odd = (name: string, version: string): Thing => ({ ...thing(name, 0), metadata: { name, namespace: 'ns', uid: name, resourceVersion: version } });
  c.replace([odd('a', 'x1')], 'x1');
  c.upsert(odd('a', 'x2'));
  c.offer(odd('a', 'x3'));
  expect(names(c)).toEqual(['a@x2']);
  c.remove(odd('a', 'x4'));
  expect(names(c)).toEqual([]);
});

test('a frozen cache makes a caller that changes an object fail', () => {
  const c = cache({ freeze: true });
  c.replace([], '1');
  c.upsert(thing('a', 2));
  expect(() => Object.assign(c.get('ns/a')?.metadata ?? {}, { name: 'b' })).toThrow(TypeError);
});

/**
 * A server that writes, a watch that delivers late, own writes whose answers come at any time, lists at any time: in the end the cache
 * shows what the server has, and at no time does it go back behind one of our own writes.
 */
test('whatever the interleaving, it ends with what the server has and never behind an own write', () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), name: fc.constantFrom('a', 'b', 'c'), own: fc.boolean(), remove: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('startList' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('endList' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      let version = 10;
      let uid = 0;
      const server = new Map<string, Thing>();
      const log: { version: number; type: 'set' | 'remove'; object: Thing }[] = [];
      let delivered = 0;
      const answers: Thing[] = [];
      let listed: { items: Thing[]; version: number; at: number } | undefined;
      const ownSeen = new Map<string, number>();
      const c = cache();
      c.replace([], String(version));
      c.subscribe(({ key, after }) => {
        const own = ownSeen.get(key);
        if (after && own !== undefined) expect(Number(after.metadata.resourceVersion)).toBeGreaterThanOrEqual(own);
      });

      const deliver = (): void => {
        const event = log[delivered];
        if (!event) return;
        delivered += 1;
        if (event.type === 'set') c.upsert(structuredClone(event.object));
        else c.remove(structuredClone(event.object));
      };
      const endList = (): void => {
        if (!listed) return;
        c.replace(structuredClone(listed.items), String(listed.version));
        delivered = listed.at;
        listed = undefined;
      };
      const write = (name: string, own: boolean, remove: boolean): void => {
        const current = server.get(name);
        if (remove && !current) return;
        version += 1;
        uid += current ? 0 : 1;
        const object = thing(name, version, { uid: current?.metadata.uid ?? `u${uid}` });
        if (remove) server.delete(name);
        else server.set(name, object);
        log.push({ version, type: remove ? 'remove' : 'set', object });
        if (own && !remove) answers.push(structuredClone(object));
      };

      for (const step of actions) {
        if (step.do === 'write') write(step.name, step.own, step.remove);
        // While a list runs no watch does.
        else if (step.do === 'deliver' && !listed) deliver();
        else if (step.do === 'answer') {
          const answer = answers.shift();
          if (!answer) continue;
          c.offer(answer);
          const shown = c.get('ns/' + answer.metadata.name as Key);
          if (shown) {
            expect(Number(shown.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(answer.metadata.resourceVersion));
            ownSeen.set(`ns/${answer.metadata.name}`, Number(answer.metadata.resourceVersion));
          }
        } else if (step.do === 'startList') listed ??= { items: [...server.values()], version, at: log.length };
        else if (step.do === 'endList') endList();
      }
      endList();
      while (delivered < log.length) deliver();
      for (const answer of answers) c.offer(answer);
      expect(names(c)).toEqual([...server.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort());
    }),
    { numRuns: 500 },
  );
});
