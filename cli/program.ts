import { Command, CommanderError } from 'commander';
import { CliError } from './cli-error.ts';
import { addActivate } from './activate.ts';
import { addCompletion, addPluginCompletion } from './completion.ts';
import { addListen } from './listen.ts';
import { addDeadLetters } from './dead-letters.ts';
import { addLocalCommands } from './local-commands.ts';
import { addPools } from './pools.ts';
import { addRuns } from './runs.ts';
import { addSchedules } from './schedules.ts';
import type { Terminal } from './terminal.ts';
import { addTop } from './top.ts';
import { addTrigger } from './trigger.ts';

/** Runs one command line (without the program's own name) and resolves to its exit status. Never throws for a user's mistake. */
export async function runCommandLine(args: readonly string[], terminal: Terminal, about: { name: string; version: string }): Promise<number> {
  const program = createProgram(terminal, about);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof CliError)) throw error;
    terminal.err(`${error.code}: ${error.message}\n`);
    return error.exit;
  }
}

function createProgram(terminal: Terminal, { name, version }: { name: string; version: string }): Command {
  const program = new Command(name)
    .description('Millrace: workflows on Kubernetes. Workflows are custom resources: use kubectl for them, and this for executing and looking.')
    .version(version)
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .showHelpAfterError('Add --help for what is possible.')
    .exitOverride();
  addLocalCommands(program, terminal);
  addTrigger(program, terminal);
  addListen(program, terminal);
  addActivate(program, terminal);
  addRuns(program, terminal);
  addPools(program, terminal);
  addDeadLetters(program, terminal);
  addTop(program, terminal);
  addSchedules(program, terminal);
  addCompletion(program, terminal);
  addPluginCompletion(program, terminal);
  return program;
}
