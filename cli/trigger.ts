import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { CliError } from './cli-error.ts';
import { readItems } from './input.ts';
import { outputOption, structured } from './output.ts';
import type { OutputFormat } from './output.ts';
import { executionText } from './print-execution.ts';
import { withApi, withServerOptions } from './server-options.ts';
import type { ServerFlags } from './server.ts';
import type { Terminal } from './terminal.ts';

interface TriggerFlags extends ServerFlags {
  input?: string;
  node?: string;
  from?: string;
  until?: string;
  dataOf?: string;
  idempotencyKey?: string;
  wait?: number | true;
  output?: OutputFormat;
}

const maxWait = 100;

/** `millrace trigger NAME`: starts a workflow through the API. */
export function addTrigger(program: Command, terminal: Terminal): void {
  withServerOptions(program.command('trigger <workflow>').description('execute a workflow of the cluster now, active or not'))
    .option('-i, --input <json>', 'items the trigger node puts out: JSON, @file or @- for standard input')
    .option('--node <name>', 'trigger node to start at; default: the manual trigger, or else the only one')
    .option('--from <node>', 'run a part: start at this node, with what --data-of or pinned data give its inputs')
    .option('--until <node>', 'run only what this node needs, and stop after it')
    .option('--data-of <id>', 'earlier execution of the workflow whose items stand for the nodes before the part')
    .option('--idempotency-key <key>', 'start nothing if a request with this key was accepted before')
    .option('--wait [seconds]', `wait until the execution has ended, at most ${maxWait} seconds; exits 1 unless it succeeded`, waitSeconds)
    .addOption(outputOption(['json', 'yaml']))
    .action((workflow: string, flags: TriggerFlags) => withApi(flags, terminal, async (api, namespace) => {
      const wait = flags.wait === true ? maxWait : (flags.wait ?? 0);
      const items = flags.input === undefined ? undefined : await readItems(flags.input, terminal);
      const { node, idempotencyKey, from, until: to, dataOf } = flags;
      const isPartial = [from, to, dataOf].some((flag) => flag !== undefined);
      const accepted = await api.trigger(namespace, workflow, { wait, body: { items, node, idempotencyKey, ...(isPartial && { partial: { from, to, dataOf } }) } });
      const { id, duplicate, execution } = accepted;
      const text = execution ? executionText(execution, terminal.now()) : `Execution ${id} ${duplicate ? 'had been accepted before' : 'was accepted'}.\n`;
      terminal.out(structured(accepted, flags.output) ?? text);
      if (execution && execution.status !== 'Succeeded') throw CliError.of('ExecutionFailed', `Execution ${id} is ${execution.status}.`);
    }));
}

function waitSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= maxWait) return seconds;
  throw new InvalidArgumentError(`Give 1 to ${maxWait} seconds.`);
}
