import type { Command } from 'commander';
import type { DeadLetter, DeadLetterDetail } from '../api/rest/queue-schemas.ts';
import { outputOption, structured } from './output.ts';
import type { OutputFormat } from './output.ts';
import { withApi, withServerOptions } from './server-options.ts';
import type { ServerFlags } from './server.ts';
import { duration, oneLine, table } from './table.ts';
import type { Terminal } from './terminal.ts';

interface OutputFlags extends ServerFlags {
  output?: OutputFormat;
}

interface ListFlags extends OutputFlags {
  allNamespaces?: boolean;
  workflow?: string;
  limit: string;
  cursor?: string;
}

/** `millrace dead-letters …`: executions that were given up because they took down whoever ran them. */
export function addDeadLetters(program: Command, terminal: Terminal): void {
  const letters = program.command('dead-letters').description('list, read, requeue and discard executions that were given up after crashes');

  withServerOptions(letters.command('list').alias('ls').description('list dead letters, newest first'))
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-w, --workflow <name>', 'only of this workflow')
    .option('-l, --limit <count>', 'at most this many', '50')
    .option('--cursor <cursor>', 'go on where an earlier page ended')
    .addOption(outputOption(['json', 'yaml']))
    .action((flags: ListFlags) => withApi(flags, terminal, async (api, namespace) => {
      const { allNamespaces = false, workflow, limit, cursor } = flags;
      const page = await api.deadLetters(allNamespaces ? undefined : namespace, { workflow, limit, cursor });
      const text = structured(page, flags.output);
      if (text !== undefined) terminal.out(text);
      else if (page.items.length === 0) terminal.err('No dead letters found.\n');
      else terminal.out(letterTable(page.items, terminal.now()));
      if (page.cursor !== undefined && text === undefined) terminal.err(`There are more: --cursor ${page.cursor}\n`);
    }));

  withServerOptions(letters.command('get <id>').description('show what an execution was doing when it was given up')).addOption(outputOption(['json', 'yaml']))
    .action((id: string, flags: OutputFlags) => withApi(flags, terminal, async (api, namespace) => {
      const letter = await api.deadLetter(namespace, id);
      terminal.out(structured(letter, flags.output) ?? letterText(letter));
    }));

  withServerOptions(letters.command('requeue <id>').description('let the execution go on from its last checkpoint'))
    .action((id: string, flags: ServerFlags) => withApi(flags, terminal, async (api, namespace) => {
      await api.requeueDeadLetter(namespace, id);
      terminal.out(`Execution ${id} is queued again: millrace runs get ${id}\n`);
    }));

  withServerOptions(letters.command('discard <id>').description('forget its trigger and checkpoints; the failed execution stays in the history'))
    .action((id: string, flags: ServerFlags) => withApi(flags, terminal, async (api, namespace) => {
      await api.discardDeadLetter(namespace, id);
      terminal.out(`Dead letter ${id} is discarded.\n`);
    }));
}

function letterTable(letters: readonly DeadLetter[], now: number): string {
  return table(['ID', 'WORKFLOW', 'POOL', 'AGE', 'CRASHES', 'LAST REASON'], letters.map(({ id, namespace, workflow, pool, buriedAt, crashes }) => [
    id, `${namespace}/${workflow}`, pool, duration(Math.max(0, now - Date.parse(buriedAt))), String(crashes.length), crashes.at(-1)?.reason ?? '',
  ]));
}

function letterText({ id, namespace, workflow, revision, pool, createdAt, buriedAt, crashes, lastNode }: DeadLetterDetail): string {
  const facts = [
    ['Execution', id], ['Workflow', `${namespace}/${workflow}`], ['Revision', revision.slice(0, 12)], ['Pool', pool], ['Accepted', createdAt], ['Given up', buriedAt],
    ['Last node', lastNode ?? 'none; it had committed nothing'],
  ];
  const rows = crashes.map(({ crashedAt, reason, runner, checkpoints }) => [crashedAt, reason, runner, String(checkpoints)]);
  return `${facts.map(([name, value]) => `${`${name}:`.padEnd(11)} ${oneLine(value ?? '')}\n`).join('')}\n${table(['CRASHED', 'REASON', 'RUNNER', 'COMMITS'], rows)}`;
}
