import { once } from 'node:events';
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { eventually } from '../eventually.ts';
import { asUnprivileged, freePort } from './postgres.ts';
import type { Postgres } from './postgres.ts';

const exec = promisify(execFile);

/** A server that repeats everything another one writes, synchronously: a commit is acknowledged only when both have it on disk. */
export interface Standby {
  readonly port: number;
  /** Makes it take over. Resolves when it takes writes. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** Copies a running server and lets the copy follow it. The same as `pg_basebackup` does, which the npm package does not have. */
export async function startStandby({ url, origin }: Pick<Postgres, 'url' | 'origin'>): Promise<Standby> {
  const directory = await mkdtemp(join(tmpdir(), `millrace-postgres-${process.pid}-`));
  await chmod(directory, 0o755);
  const data = join(directory, 'data');
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("SELECT pg_backup_start('standby', true)");
  await exec('cp', ['-a', origin.data, data]);
  const { rows: [backup] } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
  await rm(join(data, 'postmaster.pid'), { force: true });
  await writeFile(join(data, 'backup_label'), backup?.labelfile ?? '');
  await cp(join(origin.data, 'PG_VERSION'), join(data, 'standby.signal'));
  const port = await freePort();
  const settings = { ...origin.settings, port: String(port), primary_conninfo: `'host=127.0.0.1 port=${new URL(url).port} user=postgres application_name=standby'` };
  await writeFile(join(data, 'postgresql.conf'), Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`).join(''));
  await exec('chown', ['-R', '--reference', join(data, 'base'), data]);
  const [command, args] = asUnprivileged(join(origin.bin, 'postgres'), ['-D', data]);
  const server = spawn(command, args, { cwd: directory, stdio: 'ignore' });
  await eventually(async () => {
    const { rowCount } = await client.query("SELECT FROM pg_stat_replication WHERE application_name = 'standby' AND state = 'streaming'");
    if (rowCount !== 1) throw new Error(`${basename(directory)} does not follow yet`);
  }, { withinMs: 60_000 });
  await client.query("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
  await client.query('SELECT pg_reload_conf()');
  await eventually(async () => {
    const { rowCount } = await client.query("SELECT FROM pg_stat_replication WHERE application_name = 'standby' AND sync_state = 'sync'");
    if (rowCount !== 1) throw new Error('The standby is not waited for yet');
  });
  await client.end();
  return {
    port,
    async promote() {
      const own = new Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
      await own.connect();
      await own.query('SELECT pg_promote(true, 60)');
      await own.end();
    },
    async stop() {
      if (server.exitCode === null && server.signalCode === null) {
        const gone = once(server, 'exit');
        server.kill('SIGQUIT');
        await gone;
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}
