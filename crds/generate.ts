/** Writes every generated file of the repository: `npm run generate`. With --check it only says which ones are not current. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Artifact } from './artifacts.ts';
import { chartDefinition, plainDefinition } from './artifacts.ts';
import { argoArtifacts } from '../charts/argocd/snippet.ts';
import { monitoringArtifacts } from '../charts/monitoring/artifacts.ts';
import { chartName, ruleArtifacts } from '../operator/rbac.ts';
import { chartConfiguration } from '../webhooks/configuration.ts';
import { kinds } from './kinds.ts';

const root = join(import.meta.dirname, '..');

/** Every generated file. */
export function artifacts(): Artifact[] {
  return [...kinds.flatMap((kind) => [plainDefinition(kind), chartDefinition(kind)]), ...ruleArtifacts(), chartConfiguration(chartName), ...argoArtifacts(), ...monitoringArtifacts()];
}

/** Those that differ from what is on disk. */
export async function outdated(): Promise<Artifact[]> {
  const all = artifacts();
  const current = await Promise.all(all.map((artifact) => onDisk(artifact.path)));
  return all.filter((artifact, index) => artifact.content !== current[index]);
}

async function onDisk(path: string): Promise<string | undefined> {
  try {
    return await readFile(join(root, path), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function main(check: boolean): Promise<void> {
  const changed = await outdated();
  for (const { path, content } of changed) {
    process.stdout.write(`${check ? 'not current' : 'wrote'}: ${path}\n`);
    if (check) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  if (check && changed.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main(process.argv.includes('--check'));
