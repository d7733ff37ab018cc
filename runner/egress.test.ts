import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { blockList, createFetch, DEFAULT_DENIED_CIDRS } from './egress.ts';

describe('createFetch', () => {
  const server = createServer((_, response) => response.end('reached'));
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const rows = [
    { name: 'an address outside the denied networks is reached', denied: DEFAULT_DENIED_CIDRS, host: '127.0.0.1', want: 'reached' },
    { name: 'a denied literal address is refused', denied: ['127.0.0.0/8'], host: '127.0.0.1', want: 'EgressDenied' },
    { name: 'a name that resolves to a denied address is refused', denied: ['127.0.0.0/8', '::1/128'], host: 'localhost', want: 'EgressDenied' },
    { name: 'an IPv4-mapped IPv6 form of a denied address is refused', denied: ['127.0.0.0/8'], host: '[::ffff:127.0.0.1]', want: 'EgressDenied' },
  ];
  test.each(rows)('$name', async ({ denied, host, want }) => {
    const egress = createFetch(denied);
    const got = await egress.fetch(`http://${host}:${port}/`).then(
      (response) => response.text(),
      (error: { cause?: { code?: string } }) => error.cause?.code,
    );
    await egress.close();
    expect(got).toBe(want);
  });

  test.each(['10.0.0.0', 'x/8', '10.0.0.0/33', '::1/-1'])('%s is no CIDR', (cidr) => {
    expect(() => blockList([cidr])).toThrow('is not a CIDR');
  });
});
