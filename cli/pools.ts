import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Pool } from '../api/rest/queue-schemas.ts';
import type { ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { outputOption, structured } from './output.ts';
import type { OutputFormat } from './output.ts';
import { withApi, withServerOptions } from './server-options.ts';
import type { ServerFlags } from './server.ts';
import { duration, table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface OutputFlags extends ServerFlags {
  output?: OutputFormat;
}

const LOOK_MS = 500;

/** `millrace pool …`: looks at pools, and stops and starts the taking of work. */
export function addPools(program: Command, terminal: Terminal): void {
  const pools = program.command('pool').alias('pools').description('list, pause, drain and resume runner pools');

  withServerOptions(pools.command('list').alias('ls').description('list pools with what waits and runs in them')).addOption(outputOption(['json', 'yaml']))
    .action((flags: OutputFlags) => withApi(flags, terminal, async (api) => {
      const list = await api.pools();
      terminal.out(structured(list, flags.output) ?? poolTable(list.items));
    }));

  withServerOptions(pools.command('pause <name>').description('take no more work; what runs goes on, and new work is accepted and waits'))
    .action((name: string, flags: ServerFlags) => withApi(flags, terminal, async (api) => {
      const { running } = await api.steerPool(name, 'pause');
      terminal.out(`Pool ${name} is paused; ${running} running.\n`);
    }));

  withServerOptions(pools.command('resume <name>').description('take work again'))
    .action((name: string, flags: ServerFlags) => withApi(flags, terminal, async (api) => {
      const { paused } = await api.steerPool(name, 'resume');
      if (paused) throw CliError.of('PoolPaused', `Pool ${name} stays paused: its RunnerPool has spec.paused: true.`);
      terminal.out(`Pool ${name} takes work.\n`);
    }));

  withServerOptions(pools.command('drain <name>').description('pause, then wait until nothing runs any more'))
    .option('--timeout <seconds>', 'give up waiting after this', '3600')
    .action((name: string, flags: ServerFlags & { timeout: string }) => withApi(flags, terminal, (api) => drain(api, name, { terminal, timeout: flags.timeout })));
}

async function drain(api: ApiClient, name: string, { terminal, timeout }: { terminal: Terminal; timeout: string }): Promise<void> {
  const seconds = Number(timeout);
  if (!Number.isFinite(seconds) || seconds < 0) throw CliError.of('UsageError', `${timeout} is not a number of seconds.`);
  const deadline = terminal.now() + seconds * 1000;
  let last: number | undefined;
  for (let pool = await api.steerPool(name, 'pause'); ; pool = await api.pool(name)) {
    if (pool.running !== last) terminal.err(`${pool.running} running.\n`);
    last = pool.running;
    if (pool.running === 0) break;
    if (terminal.now() >= deadline) throw CliError.of('DrainTimeout', `${pool.running} executions of pool ${name} still run; the pool stays paused.`);
    await sleep(LOOK_MS);
  }
  terminal.out(`Pool ${name} is drained; it stays paused until millrace pool resume ${name}.\n`);
}

function poolTable(pools: readonly Pool[]): string {
  return table(['POOL', 'PAUSED', 'READY', 'DELAYED', 'RUNNING', 'RUNNERS', 'OLDEST'], pools.map((pool) => [
    pool.name, pool.pausedBy.join(',') || '-', String(pool.ready), String(pool.delayed), String(pool.running), String(pool.runners),
    pool.ready === 0 ? '-' : duration(pool.oldestReadyMs),
  ]));
}
