import type { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { outputOption, structured } from './output.ts';
import type { OutputFormat } from './output.ts';
import { sinceTime } from './runs.ts';
import { withApi, withServerOptions } from './server-options.ts';
import type { ServerFlags } from './server.ts';
import { duration, table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface ListFlags extends ServerFlags {
  allNamespaces?: boolean;
  workflow?: string;
  limit: string;
  cursor?: string;
  output?: OutputFormat;
}

interface BackfillFlags extends ServerFlags {
  from: string;
  to?: string;
  node?: string;
  dryRun?: boolean;
  output?: OutputFormat;
}

/** `millrace schedules list` and `millrace backfill`. */
export function addSchedules(program: Command, terminal: Terminal): void {
  const schedules = program.command('schedules').description('look at the schedules of active workflows');
  withServerOptions(schedules.command('list').alias('ls').description('list schedules with their next tick'))
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-w, --workflow <name>', 'only of this workflow')
    .option('-l, --limit <count>', 'at most this many', '50')
    .option('--cursor <cursor>', 'go on where an earlier page ended')
    .addOption(outputOption(['json', 'yaml']))
    .action((flags: ListFlags) => withApi(flags, terminal, (api, namespace) => list(api, namespace, { flags, terminal })));

  withServerOptions(program.command('backfill <workflow>').description('execute the ticks of a span of the past'))
    .requiredOption('--from <time>', 'first moment: an RFC 3339 time, or an age such as 2h or 7d')
    .option('--to <time>', 'moment up to which, itself not included; default: now')
    .option('--node <name>', 'only this schedule trigger')
    .option('--dry-run', 'only list the ticks')
    .addOption(outputOption(['json', 'yaml']))
    .action((workflow: string, flags: BackfillFlags) => withApi(flags, terminal, (api, namespace) => backfill(api, { namespace, workflow }, { flags, terminal })));
}

async function list(api: ApiClient, namespace: string, { flags, terminal }: { flags: ListFlags; terminal: Terminal }): Promise<void> {
  const { allNamespaces = false, workflow, limit, cursor, output } = flags;
  if (allNamespaces && workflow !== undefined) throw CliError.of('UsageError', '--workflow needs one namespace: workflows of different namespaces may share a name.');
  const page = await api.schedules(allNamespaces ? undefined : namespace, { workflow, limit, cursor });
  const text = structured(page, output);
  if (text !== undefined) {
    terminal.out(text);
    return;
  }
  const rows = page.items.map((schedule) => [
    ...(allNamespaces ? [schedule.namespace] : []), schedule.workflow, schedule.node, schedule.timezone,
    ...(schedule.next === undefined ? ['never', ''] : [schedule.next, duration(Math.max(0, Date.parse(schedule.next) - terminal.now()))]),
    String(schedule.fired), String(schedule.missed),
  ]);
  if (rows.length === 0) terminal.err('No active schedules found.\n');
  else terminal.out(table([...(allNamespaces ? ['NAMESPACE'] : []), 'WORKFLOW', 'NODE', 'TIMEZONE', 'NEXT', 'IN', 'FIRED', 'MISSED'], rows));
  if (page.cursor !== undefined) terminal.err(`There are more: --cursor ${page.cursor}\n`);
}

async function backfill(api: ApiClient, key: { namespace: string; workflow: string }, { flags, terminal }: { flags: BackfillFlags; terminal: Terminal }): Promise<void> {
  const now = terminal.now();
  const { node, dryRun = false } = flags;
  const done = await api.backfill(key, { from: sinceTime(flags.from, now), to: flags.to === undefined ? new Date(now).toISOString() : sinceTime(flags.to, now), node, dryRun });
  const text = structured(done, flags.output);
  if (text !== undefined) {
    terminal.out(text);
    return;
  }
  if (done.items.length === 0) terminal.err('There is no tick in that span.\n');
  else terminal.out(table(['TICK', 'NODE', 'EXECUTION'], done.items.map((tick) => [tick.tick, tick.node, executionOf(tick)])));
}

function executionOf({ id, duplicate, refused }: { id?: string | undefined; duplicate?: boolean | undefined; refused?: string | undefined }): string {
  if (id !== undefined) return duplicate === true ? `${id} (was executed before)` : id;
  return refused === undefined ? '' : `refused: ${refused}`;
}
