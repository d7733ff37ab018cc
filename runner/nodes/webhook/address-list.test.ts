import { expect, test } from '@jest/globals';
import { addressList, containsAddress } from './address-list.ts';

test.each([
  { list: '192.0.2.7', inside: ['192.0.2.7', '::ffff:192.0.2.7'], outside: ['192.0.2.8', '::1', 'nonsense', ''] },
  { list: ' 10.0.0.0/8 , 2001:db8::/32 ', inside: ['10.255.0.1', '2001:db8::5'], outside: ['11.0.0.1', '2001:db9::5'] },
  { list: '::1', inside: ['::1'], outside: ['127.0.0.1'] },
  { list: '0.0.0.0/0', inside: ['1.2.3.4'], outside: ['::1'] },
])('$list', ({ list, inside, outside }) => {
  const set = addressList(list);
  expect(set && inside.filter((address) => !containsAddress(set, address))).toEqual([]);
  expect(set && outside.filter((address) => containsAddress(set, address))).toEqual([]);
});

test.each(['example.com', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0', '::/129', '={{ 1 }}'])('%s is no list of addresses', (text) => {
  expect(addressList(text)).toBeUndefined();
});
