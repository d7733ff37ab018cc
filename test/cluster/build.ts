import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheDir } from './cache-dir.ts';
import { run } from './command.ts';
import { withFileLock } from './file-lock.ts';
import { step } from './progress.ts';
import { NODE_BINARIES, TOOL_MODULES, type Binary, type ToolModule } from './versions.ts';

/**
 * The cache folder's name for a module: what changes the binaries changes the name, so a cached binary is never
 * stale and an old clone beside a new one keeps its own.
 */
export function moduleKey(module: ToolModule, sources: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of [module.ldflags, ...sources]) hash.update(`${String(part.length)}:${part}`);
  return `${module.name}-${module.version}-${hash.digest('hex').slice(0, 12)}`;
}

interface Target {
  readonly binary: Binary;
  readonly module: ToolModule;
  readonly importPath: string;
  readonly path: string;
}

const toolDir = (module: ToolModule): string => join(import.meta.dirname, 'tools', module.name);

async function moduleDir(module: ToolModule): Promise<string> {
  const sources = await Promise.all(
    ['go.mod', 'go.sum', 'main.go'].map(async (file) => {
      const path = join(toolDir(module), file);
      return (await exists(path)) ? await readFile(path, 'utf8') : '';
    }),
  );
  return cacheDir('bin', moduleKey(module, sources));
}

async function target(binary: Binary): Promise<Target> {
  for (const module of TOOL_MODULES as readonly ToolModule[]) {
    const importPath = module.binaries[binary];
    if (importPath !== undefined) return { binary, module, importPath, path: join(await moduleDir(module), binary) };
  }
  throw new Error(`No module under test/cluster/tools builds ${binary}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function missing(targets: readonly Target[]): Promise<Target[]> {
  const present = await Promise.all(targets.map(({ path }) => exists(path)));
  return targets.filter((_, index) => present[index] !== true);
}

/** Paths by name, of the binaries that were asked for. */
export type BinaryPaths<B extends Binary> = (name: B) => string;

/**
 * Where the named binaries are, building those that the cache lacks. The first time costs minutes, later calls a few
 * file look-ups. Safe to call from several processes at once.
 */
export async function binaries<B extends Binary>(names: readonly B[]): Promise<BinaryPaths<B>> {
  const targets = await Promise.all(names.map((name) => target(name)));
  if ((await missing(targets)).length > 0) {
    await withFileLock(cacheDir('build.lock'), async () => {
      await build(await missing(targets));
    });
  }
  const paths = new Map<Binary, string>(targets.map(({ binary, path }) => [binary, path]));
  return (name) => {
    const path = paths.get(name);
    if (path === undefined) throw new Error(`${name} was not asked for`);
    return path;
  };
}

async function build(targets: readonly Target[]): Promise<void> {
  if (targets.length === 0) return;
  await mkdir(cacheDir('bin'), { recursive: true });
  // What a build that was killed has left; nobody else can be building, as this runs under the lock.
  for (const entry of await readdir(cacheDir())) {
    if (entry.startsWith('go-')) await rm(cacheDir(entry), { recursive: true, force: true });
  }
  // Module sources and compiled packages take about 5 GB together; nothing needs them once the binaries are linked.
  const scratch = await mkdtemp(cacheDir('go-'));
  try {
    for (const module of TOOL_MODULES) {
      const wanted = targets.filter((each) => each.module.name === module.name);
      for (const group of linkGroups(wanted)) await buildGroup(module, group, scratch);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The API server on its own first: integration tests can begin while the rest compiles. */
function linkGroups(targets: readonly Target[]): Target[][] {
  const early = targets.filter(({ binary }) => binary === 'kube-apiserver');
  const rest = targets.filter(({ binary }) => binary !== 'kube-apiserver');
  return [early, rest].filter((group) => group.length > 0);
}

async function buildGroup(module: ToolModule, targets: readonly Target[], scratch: string): Promise<void> {
  const names = targets.map(({ binary }) => binary).join(', ');
  await step(`Building ${names} ${module.version}`, async () => {
    const out = await mkdtemp(join(scratch, 'out-'));
    const packages = targets.map(({ importPath }) => importPath);
    await run('go', ['build', '-trimpath', '-modcacherw', '-buildvcs=false', '-ldflags', module.ldflags, '-o', `${out}/`, ...packages], {
      cwd: toolDir(module),
      env: {
        CGO_ENABLED: '0',
        GOCACHE: join(scratch, 'build'),
        GOFLAGS: '-mod=readonly',
        GOMODCACHE: join(scratch, 'mod'),
        // An older Go fetches the toolchain that a go.mod asks for, as an ordinary module.
        GOTOOLCHAIN: 'auto',
        GOWORK: 'off',
      },
    });
    for (const { binary, path } of targets) {
      await mkdir(join(path, '..'), { recursive: true });
      await rename(join(out, binary), path);
    }
  });
}

if (import.meta.main) {
  const known: readonly string[] = NODE_BINARIES;
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`Unknown binary ${unknown.join(', ')}; known are ${known.join(', ')}`);
  const names = asked.length > 0 ? NODE_BINARIES.filter((name) => asked.includes(name)) : NODE_BINARIES;
  const pathOf = await binaries(names);
  for (const name of names) process.stdout.write(`${pathOf(name)}\n`);
}
