import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** `npm run check`, before a push: write what is generated, run every test, and see that nothing differs from what is committed. */

const root = join(import.meta.dirname, '..');

async function run(command: string, ...args: string[]): Promise<void> {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exit(typeof code === 'number' ? code : 1);
}

await run(process.execPath, join('crds', 'generate.ts'));
await run(process.execPath, join('test', 'run.ts'));
process.stdout.write('Comparing with what is committed\n');
await run('git', 'diff', '--exit-code', '--stat');
