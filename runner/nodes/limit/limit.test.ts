import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';

test.each([
  [{}, [1]], [{ maxItems: 2 }, [1, 2]], [{ maxItems: 2, keep: 'lastItems' }, [2, 3]], [{ maxItems: 0, keep: 'lastItems' }, []], [{ maxItems: -1 }, []],
])('keeps by %p', async (parameters, want) => {
  expect((await runNode({ type: 'limit', items: [{ v: 1 }, { v: 2 }, { v: 3 }], parameters })).json[0]?.map(({ v }) => v) ?? []).toEqual(want);
});
