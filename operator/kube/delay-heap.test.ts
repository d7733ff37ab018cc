import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DelayHeap } from './delay-heap.ts';

const key = fc.integer({ min: 0, max: 20 });
const step = fc.oneof(
  fc.record({ op: fc.constant('set' as const), key, at: fc.integer({ min: 0, max: 100 }) }),
  fc.record({ op: fc.constant('delete' as const), key, at: fc.constant(0) }),
  fc.record({ op: fc.constant('pop' as const), key, at: fc.integer({ min: 0, max: 100 }) }),
);

test('behaves like a sorted list, whatever is done with it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new DelayHeap<number>();
      const model = new Map<number, number>();
      for (const { op, key: k, at } of steps) {
        if (op === 'set') {
          heap.set(k, at);
          model.set(k, at);
        } else if (op === 'delete') {
          expect(heap.delete(k)).toBe(model.delete(k));
        } else {
          const popped = heap.pop(at);
          const earliest = Math.min(...model.values());
          if (earliest > at) expect(popped).toBeUndefined();
          else {
            expect(model.get(popped ?? -1)).toBe(earliest);
            model.delete(popped ?? -1);
          }
        }
        expect(heap.size).toBe(model.size);
        expect(heap.nextDueAt).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
        expect(heap.dueAt(k)).toBe(model.get(k));
      }
    }),
  );
});
