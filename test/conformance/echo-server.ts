import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 120_000;

/**
 * Starts the suite's own echo server, which its HTTP cases call on port 18999. While another run of a suite has the port, this
 * one waits for it. Undefined when the suite has no server.
 */
export async function startEchoServer(suite: string): Promise<{ stop(): Promise<void> } | undefined> {
  const program = join(suite, 'echo-server.mjs');
  if (!existsSync(program)) return undefined;
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const server = await tryToStart(program);
    if (server) return server;
    if (performance.now() > deadline) throw new Error(`${program} does not start: port 18999 stays taken`);
    await delay(500);
  }
}

async function tryToStart(program: string): Promise<{ stop(): Promise<void> } | undefined> {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  const isUp = await Promise.race([once(child.stdout, 'data').then(() => true), exited.then(() => false)]);
  if (!isUp) return undefined;
  return {
    async stop() {
      child.kill();
      await exited;
    },
  };
}
