import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OnError } from '../../engine/workflow.ts';
import { createLocalHost } from '../../local-host.ts';
import { plainSandbox } from '../../engine/testing/plain-sandbox.ts';
import { runNode } from '../testing/run-node.ts';

let server: Server;
let base = '';

/** A service that tells everything it was sent in its error. */
beforeAll(async () => {
  server = createServer((request, response) => {
    response.writeHead(500, { connection: 'close', 'content-type': 'application/json' }).end(JSON.stringify({ message: `${request.url} ${JSON.stringify(request.headers)}` }));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => { server.close(); });

const SECRET = 's3cret value/+';
const CASES = [
  { type: 'httpHeaderAuth', fields: { name: 'X-Key', value: SECRET } },
  // Not a header at all: fetch quotes it in its error.
  { type: 'httpHeaderAuth', fields: { name: 'X-Key', value: `${SECRET}\nsecond: line` } },
  { type: 'httpBasicAuth', fields: { user: 'u', password: SECRET } },
  { type: 'httpBearerAuth', fields: { token: SECRET } },
  { type: 'httpQueryAuth', fields: { name: 'key', value: SECRET } },
  { type: 'httpCustomAuth', fields: { json: JSON.stringify({ headers: { 'X-Custom': SECRET }, qs: { key: SECRET } }) } },
];
const FORMS = [SECRET, encodeURIComponent(SECRET), 's3cret', Buffer.from(SECRET).toString('base64'), Buffer.from(`u:${SECRET}`).toString('base64')];

test.each(CASES.flatMap((row) => [undefined, 'Continue', 'ErrorOutput'].map((onError) => ({ ...row, onError: onError as OnError | undefined }))))(
  'nothing that is kept of a failed run holds the secret of $type, with onError $onError', async ({ type, fields, onError }) => {
    const kept: unknown[] = [];
    const host = createLocalHost({
      sandbox: plainSandbox, credentials: { [`${type}/c`]: fields },
      commit: async (checkpoint) => void kept.push(checkpoint), onNodeRun: (run) => kept.push(run), onConsole: (line) => kept.push(line),
    });
    const { result } = await runNode({
      type: 'httpRequest', version: 4.2, parameters: { url: `${base}/x`, authentication: 'genericCredentialType', genericAuthType: type },
      credentials: { [type]: { name: 'c' } }, host, ...(onError && { onError }),
    });
    expect(result.status).toBe(onError ? 'Succeeded' : 'Failed');
    const text = JSON.stringify([result, kept]);
    for (const form of FORMS) expect(text).not.toContain(form);
    expect(text).toContain('[redacted]');
  });
