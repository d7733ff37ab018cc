import { expect, test } from '@jest/globals';
import { Servers, serverUrls } from './servers.ts';

test.each([
  ['postgres://u:p%40@a:1,b:2,c/db?x=1', ['postgres://u:p%40@a:1/db?x=1', 'postgres://u:p%40@b:2/db?x=1', 'postgres://u:p%40@c/db?x=1']],
  ['postgresql://a,b/db', ['postgresql://a/db', 'postgresql://b/db']],
  ['postgres://u:a,b@one:5432/db', ['postgres://u:a,b@one:5432/db']],
  ['postgres:///db?host=/run/a,b', ['postgres:///db?host=/run/a,b']],
])('the servers of %s', (url, wanted) => { expect(serverUrls(url)).toEqual(wanted); });

test('a server that failed is passed over once, however many say so, and comes up again after the others', () => {
  const servers = new Servers('postgres://a,b/db');
  expect([servers.several, servers.current]).toEqual([true, 'postgres://a/db']);
  servers.pass('postgres://a/db');
  servers.pass('postgres://a/db');
  expect(servers.current).toBe('postgres://b/db');
  servers.pass('postgres://b/db');
  expect(servers.current).toBe('postgres://a/db');
});
