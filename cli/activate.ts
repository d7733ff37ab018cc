import type { Command } from 'commander';
import { withApi, withServerOptions } from './server-options.ts';
import type { ServerFlags } from './server.ts';
import type { Terminal } from './terminal.ts';

/** `millrace activate|deactivate NAME`: through the API, in the name of the caller. */
export function addActivate(program: Command, terminal: Terminal): void {
  for (const [verb, about] of [['activate', 'let webhooks, forms and schedules start a workflow'], ['deactivate', 'let them start it no more; what runs goes on']] as const) {
    withServerOptions(program.command(`${verb} <workflow>`).description(about))
      .option('--dry-run', 'check and admit, but change nothing')
      .action((workflow: string, flags: ServerFlags & { dryRun?: boolean }) => withApi(flags, terminal, async (api, namespace) => {
        const { warnings } = await api.activate(namespace, workflow, { active: verb === 'activate', dryRun: flags.dryRun === true });
        for (const warning of warnings) terminal.err(`Warning: ${warning}\n`);
        terminal.out(`Workflow ${namespace}/${workflow} ${verb}d${flags.dryRun === true ? ' (dry run)' : ''}.\n`);
      }));
  }
}
