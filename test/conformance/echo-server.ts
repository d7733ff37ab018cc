import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Starts the suite's own echo server, which its HTTP cases call on port 18999. Undefined when the suite has none. */
export async function startEchoServer(suite: string): Promise<{ stop(): Promise<void> } | undefined> {
  const program = join(suite, 'echo-server.mjs');
  if (!existsSync(program)) return undefined;
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(([code]) => Promise.reject(new Error(`${program} ended with code ${String(code)}; is port 18999 taken?`))),
  ]);
  return {
    async stop() {
      child.kill();
      await exited;
    },
  };
}
