import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of PostgreSQL that can lose answers: the statement is committed, but its client never hears of it. */
export interface LossyProxy {
  /** The given URL with the proxy's address. */
  url(of: string): string;
  /**
   * From now on swallows what the server says on connections that send `text`, cuts them, and refuses new ones until `heal`. Resolves when an
   * answer was lost.
   */
  loseAnswerTo(text: string): Promise<void>;
  /** Cuts every connection and refuses new ones until `heal`. */
  cut(): void;
  /** Keeps every connection open but lets nothing through, either way or only no answers, until `heal`. */
  freeze(what?: 'all' | 'answers'): void;
  heal(): void;
  close(): Promise<void>;
}

export async function startLossyProxy(port: number): Promise<LossyProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let refusing = false;
  let frozen: 'all' | 'answers' | undefined;
  let hunted: { text: string; lost(): void } | undefined;

  const listener = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const server = connect(port, '127.0.0.1');
    const pair = { client, server };
    let doomed = false;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => {
      if (frozen === 'all') return;
      if (hunted !== undefined && chunk.includes(hunted.text)) doomed = true;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (frozen !== undefined) return;
      if (!doomed) {
        client.write(chunk);
        return;
      }
      // ReadyForQuery: the transaction is over.
      if (!chunk.includes(Buffer.from([0x5a, 0, 0, 0, 5]))) return;
      refusing = true;
      hunted?.lost();
      hunted = undefined;
      for (const other of pairs) other.client.destroy();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('No address');
  const cut = (): void => {
    refusing = true;
    for (const { client } of pairs) client.destroy();
  };
  return {
    cut,
    url: (of) => of.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${address.port}`),
    loseAnswerTo: async (text) => new Promise((resolve) => { hunted = { text, lost: resolve }; }),
    freeze: (what = 'all') => { frozen = what; },
    heal: () => {
      refusing = false;
      frozen = undefined;
    },
    async close() {
      cut();
      listener.close();
      await once(listener, 'close');
    },
  };
}
