import type { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { nodeCells, nodeHeader } from './node-rows.ts';
import { outputOption, structured } from './output.ts';
import type { OutputFormat } from './output.ts';
import { executionTable, executionText, tookOf } from './print-execution.ts';
import { withApi, withServerOptions } from './server-options.ts';
import type { ServerFlags } from './server.ts';
import { line, width } from './table.ts';
import type { Terminal } from './terminal.ts';

interface OutputFlags extends ServerFlags {
  output?: OutputFormat;
}

interface ListFlags extends OutputFlags {
  allNamespaces?: boolean;
  workflow?: string;
  status?: string;
  mode?: string;
  since?: string;
  until?: string;
  search?: string;
  limit: string;
  cursor?: string;
}

/** `millrace runs …`: reads and steers executions through the API. */
export function addRuns(program: Command, terminal: Terminal): void {
  const runs = program.command('runs').description('list, read, watch, cancel and repeat executions');

  withServerOptions(runs.command('list').alias('ls').description('list executions, newest first'))
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-w, --workflow <name>', 'only of this workflow')
    .option('-s, --status <status>', 'only with this status: Queued, Running, Waiting, Succeeded, Failed or Canceled')
    .option('--since <time>', 'only those accepted since: an RFC 3339 time, or an age such as 30m, 2h, 7d')
    .option('--until <time>', 'only those accepted before')
    .option('--mode <mode>', 'only those started so: Manual, Webhook, Schedule, SubWorkflow, Error or Retry')
    .option('--search <text>', 'only those whose error has these words or beginnings of words, or whose id begins so')
    .option('-l, --limit <count>', 'at most this many', '50')
    .option('--cursor <cursor>', 'go on where an earlier page ended')
    .addOption(outputOption())
    .action((flags: ListFlags) => withApi(flags, terminal, (api, namespace) => list(api, namespace, { flags, terminal })));

  withServerOptions(runs.command('get <id>').description('show an execution node by node')).addOption(outputOption(['json', 'yaml']))
    .action((id: string, flags: OutputFlags) => withApi(flags, terminal, async (api, namespace) => {
      const execution = await api.get(namespace, id);
      terminal.out(structured(execution, flags.output) ?? executionText(execution, terminal.now()));
    }));

  withServerOptions(runs.command('watch <id>').description('show node runs as they end, until the execution does; exits 1 unless it succeeded'))
    .action((id: string, flags: ServerFlags) => withApi(flags, terminal, (api, namespace) => watch(api, namespace, { id, terminal })));

  withServerOptions(runs.command('logs <id>').description('print the items that nodes put out, as JSON lines'))
    .option('--node <name>', 'only of this node')
    .action((id: string, flags: ServerFlags & { node?: string }) => withApi(flags, terminal, (api, namespace) => logs(api, namespace, { id, node: flags.node, terminal })));

  withServerOptions(runs.command('cancel <id>').description('cancel an unfinished execution')).addOption(outputOption(['json', 'yaml']))
    .action((id: string, flags: OutputFlags) => withApi(flags, terminal, async (api, namespace) => {
      const execution = await api.cancel(namespace, id);
      terminal.out(structured(execution, flags.output) ?? `Execution ${id} is being canceled.\n`);
    }));

  withServerOptions(runs.command('retry <id>').description('execute the same revision again with the same trigger items')).addOption(outputOption(['json', 'yaml']))
    .option('--from-failed', 'begin at the node that failed, with the items it had')
    .action((id: string, flags: OutputFlags & { fromFailed?: boolean }) => withApi(flags, terminal, async (api, namespace) => {
      const accepted = await api.retry(namespace, id, flags.fromFailed === true ? 'failed' : 'start');
      terminal.out(structured(accepted, flags.output) ?? `Execution ${accepted.id} repeats ${id}.\n`);
    }));
}

async function list(api: ApiClient, namespace: string, { flags, terminal }: { flags: ListFlags; terminal: Terminal }): Promise<void> {
  const { allNamespaces = false, workflow, status, mode, search, limit, cursor, output } = flags;
  if (allNamespaces && workflow !== undefined) throw CliError.of('UsageError', '--workflow needs one namespace: workflows of different namespaces may share a name.');
  const since = flags.since === undefined ? undefined : sinceTime(flags.since, terminal.now());
  const until = flags.until === undefined ? undefined : sinceTime(flags.until, terminal.now());
  const page = await api.list(allNamespaces ? undefined : namespace, { workflow, status, mode, since, until, search, limit, cursor });
  const text = structured(page, output);
  if (text !== undefined) {
    terminal.out(text);
    return;
  }
  if (page.items.length === 0) terminal.err(allNamespaces ? 'No executions found.\n' : `No executions found in namespace ${namespace}.\n`);
  else terminal.out(executionTable(page.items, { wide: output === 'wide', allNamespaces, now: terminal.now() }));
  if (page.cursor !== undefined) terminal.err(`There are more: --cursor ${page.cursor}\n`);
}

/** An RFC 3339 time as it is, an age as the time it means. */
export function sinceTime(text: string, now: number): string {
  const age = /^(\d+)([smhd])$/.exec(text);
  const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const ms = age ? now - Number(age[1]) * (units[age[2] ?? ''] ?? 0) : Date.parse(text);
  if (Number.isNaN(ms)) throw CliError.of('UsageError', `${text} is neither a time nor an age such as 30m, 2h or 7d.`);
  return new Date(ms).toISOString();
}

async function watch(api: ApiClient, namespace: string, { id, terminal }: { id: string; terminal: Terminal }): Promise<void> {
  const widths = [Math.max(24, width(id)), 3, 7, 8, 6];
  terminal.out(`${line(nodeHeader, widths)}\n`);
  let last = '';
  for await (const { event, data } of api.follow(namespace, id)) {
    if (event === 'node') {
      terminal.out(`${line(nodeCells(data), widths)}\n`);
      continue;
    }
    last = data.status;
    const took = tookOf(data, terminal.now());
    terminal.err(`${data.status}${took === undefined ? '' : ` after ${took}`}${data.error ? `: ${data.error.code}: ${data.error.message}` : ''}\n`);
  }
  if (last !== 'Succeeded') throw CliError.of('ExecutionFailed', `Execution ${id} ended as ${last}.`);
}

async function logs(api: ApiClient, namespace: string, { id, node, terminal }: { id: string; node: string | undefined; terminal: Terminal }): Promise<void> {
  const execution = await api.get(namespace, id);
  const names = node === undefined ? [...new Set(execution.nodes.map((run) => run.node))] : [node];
  for (const name of names) {
    for (const { runIndex, outputs, error } of (await api.nodeRuns(namespace, id, name)).items) {
      outputs.forEach((items, output) => items?.forEach((item) => terminal.out(`${JSON.stringify({ node: name, runIndex, output, ...item })}\n`)));
      if (error) terminal.out(`${JSON.stringify({ node: name, runIndex, error })}\n`);
    }
  }
  if (!execution.hasItems) terminal.err(`The items of this execution are not kept, or not yet; it is ${execution.status}.\n`);
}

