import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../cluster/command.ts';
import { installPackages } from '../cluster/debian-packages.ts';

/** What was written for executions: commits and bytes, as they were measured. */
export interface Writes {
  /** Executions per commit, the mean over acceptance, claim and end. */
  batch: number;
  /** Bytes per execution. */
  trigger: number;
  brief: number;
  response: number;
  data: number;
}

const scripts = join(import.meta.dirname, 'pgbench');
const CLIENTS = [1, 2, 4, 8, 16];
const DEBIAN = '/usr/lib/postgresql';

/** Executions per second of pgbench/executions.sql with prepared statements at the best number of clients, on an empty database. */
export async function physicalLimit(databaseUrl: string, writes: Writes, options: { seconds: number; progress(text: string): void }): Promise<number> {
  const pgbench = await findPgbench();
  const script = (name: string): string => join(scripts, `${name}.sql`);
  await run(join(pgbench, 'psql'), ['--quiet', '--dbname', databaseUrl, '--set', 'ON_ERROR_STOP=1', '--file', script('schema')]);
  let best = 0;
  for (const clients of CLIENTS) {
    const variables = Object.entries(writes).flatMap(([name, value]) => ['--define', `${name}=${Math.max(1, Math.round(value))}`]);
    const output = await run(join(pgbench, 'pgbench'), [
      '--no-vacuum', '--protocol=prepared', `--client=${clients}`, `--time=${options.seconds}`, ...variables, '--file', script('executions'), databaseUrl,
    ]);
    const perSecond = Number(/^tps = ([\d.]+)/m.exec(output)?.[1]) * Math.max(1, Math.round(writes.batch));
    options.progress(`pgbench with ${clients} clients: ${Math.round(perSecond)} executions/s`);
    best = Math.max(best, perSecond);
  }
  return best;
}

/** Folder of Debian's pgbench and psql; installed if they are missing. */
async function findPgbench(): Promise<string> {
  if (newestVersion() === undefined) await installPackages(['postgresql']);
  const newest = newestVersion();
  if (newest === undefined) throw new Error(`There is no pgbench below ${DEBIAN}`);
  return join(DEBIAN, newest, 'bin');
}

function newestVersion(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  return readdirSync(DEBIAN).filter((version) => existsSync(join(DEBIAN, version, 'bin', 'pgbench'))).sort((a, b) => Number(b) - Number(a))[0];
}
