import { expect, test } from '@jest/globals';

import { machineNetwork } from './network.ts';

test('two machines share no address and no link', () => {
  const [a, b] = [machineNetwork(0), machineNetwork(1)];
  expect(Object.values(a).filter((value) => Object.values(b).includes(value))).toEqual([]);
});

test('the link name fits into what Linux allows', () => {
  expect(machineNetwork(255).link.length).toBeLessThanOrEqual(15);
});

test.each([-1, 256, 1.5])('index %p is refused', (index) => {
  expect(() => machineNetwork(index)).toThrow(RangeError);
});
