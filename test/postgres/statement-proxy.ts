import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Where a client is to die: just before the n-th statement of a name reaches the server, or after the server has done it and before the answer is heard. */
export interface CrashPoint {
  statement: string;
  /** From 1. */
  occurrence: number;
  when: 'before' | 'after';
}

/** A TCP proxy in front of PostgreSQL that knows statements by the names the store gives them, and SQL without a name by its first word. */
export interface StatementProxy {
  readonly port: number;
  /** Statements since the last `arm`, in order, without those of connections that only listen. */
  readonly seen: readonly string[];
  /** Forgets what was seen. `onPoint` is called at that point; from then on nothing is let through, until the next `arm`. */
  arm(point: CrashPoint | undefined, onPoint: () => void): void;
  close(): Promise<void>;
}

const READY = 0x5a;

/** Names of the statements in what a client sends, one for each round trip. The first message of a connection has no type. */
export function statementsIn(chunk: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at + 5 <= chunk.length; at += 1 + chunk.readInt32BE(at + 1)) {
    const type = String.fromCharCode(chunk[at] ?? 0);
    const body = chunk.subarray(at + 5, at + 1 + chunk.readInt32BE(at + 1));
    if (type === 'B') names.push(textAt(body, textAt(body, 0).length + 1));
    if (type === 'Q') names.push((/^\s*(\w+)/.exec(textAt(body, 0))?.[1] ?? '').toUpperCase());
  }
  return names.filter((name) => name !== '');
}

function textAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString('utf8', start, end === -1 ? bytes.length : end);
}

interface Armed {
  point: CrashPoint | undefined;
  onPoint(): void;
  fired: boolean;
}

export async function startStatementProxy(serverPort: number): Promise<StatementProxy> {
  let seen: string[] = [];
  let armed: Armed = { point: undefined, onPoint: () => undefined, fired: false };
  const sockets = new Set<Socket>();

  function fire(): void {
    armed.fired = true;
    armed.onPoint();
  }

  /** Whether what was sent may pass; the point `after` fires with the answer. */
  function pass(chunk: Buffer): 'pass' | 'hold' | 'answer' {
    if (armed.fired) return 'hold';
    for (const name of statementsIn(chunk)) {
      seen.push(name);
      const { point } = armed;
      if (point?.statement !== name || seen.filter((other) => other === name).length !== point.occurrence) continue;
      if (point.when === 'after') return 'answer';
      fire();
      return 'hold';
    }
    return 'pass';
  }

  const listener = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    let started = false;
    let doomed = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      const verdict = started ? pass(chunk) : 'pass';
      started = true;
      if (verdict === 'answer') doomed = true;
      if (verdict !== 'hold') server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (!doomed) {
        if (!armed.fired) client.write(chunk);
        return;
      }
      // ReadyForQuery ends every answer: 'Z', its length 5, and the state.
      if (!armed.fired && chunk.length >= 6 && chunk[chunk.length - 6] === READY) fire();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('No address');
  return {
    port: address.port,
    get seen() { return seen; },
    arm(point, onPoint) {
      seen = [];
      armed = { point, onPoint, fired: false };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}
