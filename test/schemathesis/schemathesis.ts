import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheDir } from '../cluster/cache-dir.ts';
import { run } from '../cluster/command.ts';
import { step } from '../cluster/progress.ts';

/**
 * Path of the `schemathesis` program, which fuzzes an API by its OpenAPI document. Installed from PyPI, in the versions of
 * requirements.txt, into a Python environment of its own in the cache; that takes half a minute the first time. Needs python3 with venv.
 */
export async function schemathesis(): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const version = createHash('sha256').update(await readFile(requirements)).digest('hex').slice(0, 12);
  const dir = cacheDir(`schemathesis-${version}`);
  const program = join(dir, 'bin', 'schemathesis');
  if (existsSync(join(dir, 'complete'))) return program;
  await step('Installing schemathesis', async () => {
    await rm(dir, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', dir]);
    await run(join(dir, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:', '--requirement', requirements]);
    await run('touch', [join(dir, 'complete')]);
  });
  return program;
}
