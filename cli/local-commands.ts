import type { Command } from 'commander';
import { outputOption } from './output.ts';
import type { RunFlags } from './run-file.ts';
import type { Terminal } from './terminal.ts';
import type { ValidateFlags } from './validate-files.ts';

/** The commands that need neither cluster nor database. Engine and nodes are loaded only when one of them is used: that takes a while. */
export function addLocalCommands(program: Command, terminal: Terminal): void {
  program.command('run <file>')
    .description('execute a Workflow manifest or an n8n export here, with no cluster and no database; - is standard input')
    .option('-i, --input <json>', 'items the start node puts out: JSON, @file or @- for standard input')
    .option('--start <node>', 'node to start at; default: the manual trigger, or else the only trigger')
    .option('--until <node>', 'run only what this node needs, and stop after it')
    .option('--credentials <file>', 'Secret manifests that hold the credentials of nodes, as they would be applied')
    .option('-w, --workflow <name>', 'which workflow of a file with several; the others can be called as sub-workflows')
    .addOption(outputOption(['json', 'yaml']))
    .action(async (file: string, flags: RunFlags) => {
      const { runFile } = await import('./run-file.ts');
      await runFile(file, flags, terminal);
    });

  program.command('validate <files...>')
    .description('check Workflow manifests and n8n exports as the cluster would; exits 1 when an active workflow would be refused')
    .option('--strict', 'exit 1 on warnings, too')
    .addOption(outputOption(['json', 'yaml']))
    .action(async (files: string[], flags: ValidateFlags) => {
      const { validateFiles } = await import('./validate-files.ts');
      await validateFiles(files, flags, terminal);
    });
}
