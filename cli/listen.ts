import type { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { loadWorkflows } from './load-workflow.ts';
import { nodeCells, nodeHeader } from './node-rows.ts';
import { tookOf } from './print-execution.ts';
import { withApi, withServerOptions } from './server-options.ts';
import type { ServerFlags } from './server.ts';
import { line } from './table.ts';
import type { Terminal } from './terminal.ts';

/** `millrace listen NAME|FILE`: waits for one call of a test URL and shows what it does. */
export function addListen(program: Command, terminal: Terminal): void {
  withServerOptions(program.command('listen <workflow>').description('wait for one call of a test URL or form, execute it and follow it; <workflow> is a name, or a file (.yaml, .json) to try without applying it'))
    .option('--as <name>', 'file: the Workflow it is a draft of; default: the name in the file')
    .option('--seconds <count>', 'how long to listen, at most 120', '120')
    .action((workflow: string, flags: ServerFlags & { as?: string; seconds: string }) => withApi(flags, terminal, async (api, namespace) => {
      const draft = /\.(ya?ml|json)$/.test(workflow) ? await draftOf(workflow, terminal) : undefined;
      await listen(api, { namespace, workflow: flags.as ?? draft?.name ?? workflow, spec: draft?.spec, seconds: flags.seconds }, terminal);
    }));
}

async function draftOf(file: string, terminal: Terminal): Promise<{ name: string; spec: object }> {
  const [loaded, ...others] = await loadWorkflows(file, terminal);
  if (!loaded || others.length > 0) throw CliError.of('UsageError', `${file} holds several workflows: listen takes one.`);
  return { name: loaded.definition.id.split('/').at(-1) ?? '', spec: loaded.spec() };
}

async function listen(api: ApiClient, about: Parameters<ApiClient['listen']>[0], terminal: Terminal): Promise<void> {
  const widths = [24, 3, 7, 8, 6];
  let last: { id: string; status: string } | undefined;
  for await (const { event, data } of api.listen(about)) {
    if (event === 'listening') {
      for (const { node, method, url } of data.urls) terminal.err(`Listening at ${method} ${url} (${node})\n`);
    } else if (event === 'node') {
      terminal.out(`${line(nodeCells(data), widths)}\n`);
    } else {
      if (!last) terminal.out(`${line(nodeHeader, widths)}\n`);
      last = data;
      const took = tookOf(data, terminal.now());
      terminal.err(`Execution ${data.id}: ${data.status}${took === undefined ? '' : ` after ${took}`}${data.error ? `: ${data.error.code}: ${data.error.message}` : ''}\n`);
    }
  }
  if (!last) throw CliError.of('NothingCalled', 'No call came in time.');
  if (last.status !== 'Succeeded') throw CliError.of('ExecutionFailed', `Execution ${last.id} ended as ${last.status}.`);
}
