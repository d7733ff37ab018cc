import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Watching } from '../api/rest/watching-schemas.ts';
import { CliError } from './cli-error.ts';
import { outputOption, structured } from './output.ts';
import type { OutputFormat } from './output.ts';
import { withApi, withServerOptions } from './server-options.ts';
import type { ServerFlags } from './server.ts';
import { duration, oneLine, table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface TopFlags extends ServerFlags {
  once?: boolean;
  interval: string;
  output?: OutputFormat;
}

const HEADER = ['POOL', 'READY', 'WAIT', 'BLOCKED', 'SLOTS', 'IN/S', 'OUT/S', 'TAKES', 'RUNNERS'];
const SHOWN_NODES = 3;
/** To the top left, with everything erased. */
const CLEAR = '\x1b[H\x1b[2J';

/** `millrace top`: pools, queue and what limits them, live. */
export function addTop(program: Command, terminal: Terminal): void {
  withServerOptions(program.command('top').description('show queue, pools and what limits throughput, live; needs the right to list runnerpools in all namespaces'))
    .option('--once', 'print once and end')
    .option('--interval <seconds>', 'how often to look', '2')
    .addOption(outputOption(['json', 'yaml']))
    .action((flags: TopFlags) => withApi(flags, terminal, async (api) => {
      const seconds = Number(flags.interval);
      if (!(seconds >= 1 && seconds <= 3600)) throw CliError.of('UsageError', '--interval takes seconds from 1 to 3600.');
      for (;;) {
        const watching = await api.watching();
        const text = structured(watching, flags.output);
        const isOnce = flags.once === true || text !== undefined;
        terminal.out(`${isOnce ? '' : CLEAR}${text ?? topText(watching)}`);
        if (isOnce) return;
        await sleep(seconds * 1000);
      }
    }));
}

/** The whole screen. */
export function topText({ pools, database, nodes, bottlenecks }: Watching): string {
  const rows = pools.map((pool) => [
    pool.paused ? `${pool.name} (paused)` : pool.name, String(pool.ready), duration(pool.waitMs), String(pool.blocked), `${pool.running}/${pool.slots}`,
    rateText(pool.arrivalsPerSecond), rateText(pool.endsPerSecond), pool.serviceMs === undefined ? '-' : duration(pool.serviceMs), runnersText(pool),
  ]);
  const waiting = database.waiting.map(({ event, count }) => `${count} ${event}`).join(', ') || 'none waits';
  const lines = [
    `PostgreSQL  ${database.active} active (${waiting}), ${database.connections} of ${database.maxConnections} connections`,
    ...nodes.slice(0, SHOWN_NODES).map(({ namespace, workflow, node, type, host, share, meanMs }) =>
      `Slowest     ${Math.round(share * 100)} % ${namespace}/${workflow}: ${node} (${host ?? type}), ${duration(meanMs)} each`),
    ...pools.flatMap(({ name, change }) => (change ? [`Scaled      ${name} ${change.from} → ${change.to} at ${change.time} (${change.reason}): ${change.message}`] : [])),
    '',
    ...(bottlenecks.length === 0 ? ['Nothing limits throughput: what arrives starts at once.'] : bottlenecks.flatMap(({ kind, pool, message, advice }) => [
      `${kind}${pool === undefined ? '' : ` in pool ${pool}`}: ${message}`, `  → ${advice}`,
    ])),
  ];
  return `${table(HEADER, rows)}\n${lines.map((text) => `${text.startsWith('  ') ? '  ' : ''}${oneLine(text)}\n`).join('')}`;
}

function runnersText({ runners, desired, minReplicas, maxReplicas, mode }: Watching['pools'][number]): string {
  if (mode === undefined) return String(runners);
  return mode === 'Fixed' ? `${runners} of ${desired}` : `${runners} of ${desired} (${minReplicas}-${maxReplicas})`;
}

function rateText(rate: number): string {
  return rate >= 100 ? rate.toFixed(0) : rate.toFixed(1);
}
