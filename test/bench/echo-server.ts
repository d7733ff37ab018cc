import { createServer } from 'node:http';
import { freePort } from '../cluster/free-port.ts';

/** A server for HTTP nodes that answers every request at once with the same small JSON, and remembers nothing. */
export async function startEchoServer(): Promise<{ url: string } & AsyncDisposable> {
  const port = await freePort();
  // It ends no connection by itself: a client that uses one in the same moment would fail.
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
  });
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
      server.closeAllConnections();
      await closed;
    },
  };
}
