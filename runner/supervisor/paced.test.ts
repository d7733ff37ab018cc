import { expect, jest, test } from '@jest/globals';
import { paced } from './paced.ts';

test('the first call works at once, those soon after it together', () => {
  jest.useFakeTimers();
  try {
    let done = 0;
    const call = paced(() => { done += 1; }, 5);
    call();
    expect(done).toBe(1);
    for (let n = 0; n < 10; n += 1) call();
    expect(done).toBe(1);
    jest.advanceTimersByTime(5);
    expect(done).toBe(2);
    jest.advanceTimersByTime(50);
    expect(done).toBe(2);
    call();
    expect(done).toBe(3);
  } finally {
    jest.useRealTimers();
  }
});
