import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/**
 * Writes a file for a shell to read with `.`, and a folder `bin` beside it with the tools and the command line of this
 * checkout. KUBECONFIG is set as well.
 */
export async function writeShellFile(file: string, { kubeconfig, tools }: { kubeconfig: string; tools: readonly string[] }): Promise<void> {
  const bin = join(dirname(file), 'bin');
  await rm(bin, { recursive: true, force: true });
  await mkdir(bin, { recursive: true });
  for (const tool of tools) await symlink(tool, join(bin, basename(tool)));
  const millrace = join(bin, 'millrace');
  await writeFile(millrace, `#!/bin/sh\nexec ${quoted(join(root, 'node_modules', '.bin', 'node'))} ${quoted(join(root, 'cli', 'main.ts'))} "$@"\n`);
  await chmod(millrace, 0o755);
  await writeFile(file, `export KUBECONFIG=${quoted(kubeconfig)}\nexport PATH=${quoted(bin)}:"$PATH"\n`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
