import { randomUUID } from 'node:crypto';
import { WorkflowError } from '../runner/engine/error.ts';
import type { ExecutionResult, NodeRun } from '../runner/engine/node-run.ts';
import { startNode } from '../runner/engine/start-node.ts';
import { createLocalHost, executeLocally } from '../runner/local-host.ts';
import { nodeTypes } from '../runner/nodes/registry.ts';
import { createSandbox } from '../runner/sandbox/create-sandbox.ts';
import type { WorkflowDefinition } from '../runner/engine/workflow.ts';
import { CliError } from './cli-error.ts';
import { readItems } from './input.ts';
import { loadWorkflows } from './load-workflow.ts';
import type { LoadedWorkflow } from './load-workflow.ts';
import { readCredentials } from './read-credentials.ts';
import { nodeCells, nodeHeader } from './node-rows.ts';
import { structured } from './output.ts';
import type { OutputFormat } from './output.ts';
import { line, oneLine, width } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface RunFlags {
  input?: string;
  start?: string;
  until?: string;
  workflow?: string;
  credentials?: string;
  output?: OutputFormat;
}

/** Throws CliError UsageError when it is not clear where to start. */
function startOf(definition: WorkflowDefinition, named: string | undefined): string {
  try {
    return startNode(definition, nodeTypes, named);
  } catch (error) {
    throw error instanceof WorkflowError ? CliError.of('UsageError', `${error.message} --start names a node.`) : error;
  }
}

async function credentialsOf({ credentials }: RunFlags, terminal: Terminal): ReturnType<typeof readCredentials> {
  return credentials === undefined ? {} : await readCredentials(credentials, terminal);
}

/** Executes a workflow of a file in this process. Throws CliError ExecutionFailed unless it succeeds. */
export async function runFile(file: string, flags: RunFlags, terminal: Terminal): Promise<void> {
  const loaded = await loadWorkflows(file, terminal);
  const chosen = choose(loaded, flags.workflow);
  const { definition } = chosen;
  for (const { node, type, verdict, reason } of chosen.report) {
    if (verdict === 'stubbed' || verdict === 'refused') terminal.err(oneLine(`${node} (${type}) is ${verdict}: ${reason ?? ''}`) + '\n');
  }
  const start = { node: startOf(definition, flags.start), items: flags.input === undefined ? [] : await readItems(flags.input, terminal) };
  if (flags.until !== undefined && !definition.nodes.some((node) => node.name === flags.until)) {
    throw CliError.of('UsageError', `There is no node ${JSON.stringify(flags.until)} to stop after.`);
  }

  const live = flags.output === undefined ? liveTable(definition, terminal) : undefined;
  const host = createLocalHost({
    sandbox: createSandbox(),
    workflows: siblings(loaded),
    credentials: await credentialsOf(flags, terminal),
    onNodeRun: (nodeRun) => live?.(nodeRun),
    onConsole: ({ node, text }) => terminal.err(`${oneLine(node)}: ${text}\n`),
  });
  const result = await executeLocally(
    { executionId: randomUUID(), workflow: definition, mode: 'Manual', start, ...(flags.until === undefined ? {} : { partial: { to: flags.until } }) },
    host, nodeTypes,
  );
  terminal.out(structured(result, flags.output) ?? ending(result));
  if (result.status !== 'Succeeded') {
    const { error } = result;
    const where = error?.node === undefined ? '' : ` in ${error.node}`;
    throw CliError.of('ExecutionFailed', error ? `${error.code}${where}: ${error.message}` : `The execution ended as ${result.status}.`);
  }
}

function choose(loaded: readonly LoadedWorkflow[], name: string | undefined): LoadedWorkflow {
  const [first] = loaded;
  const chosen = name === undefined ? first : loaded.find(({ definition }) => definition.id === name || definition.id.endsWith(`/${name}`) || definition.name === name);
  if (chosen && (name !== undefined || loaded.length === 1)) return chosen;
  const names = loaded.map(({ definition }) => definition.id).join(', ');
  throw CliError.of('UsageError', name === undefined ? `The file has several workflows; choose one with --workflow: ${names}.` : `The file has no workflow ${name}, only ${names}.`);
}

/** The other workflows of the file, by id and by name without namespace: how sub-workflow nodes refer to them. */
function siblings(loaded: readonly LoadedWorkflow[]): Map<string, WorkflowDefinition> {
  return new Map(loaded.flatMap(({ definition }) => [[definition.id, definition], [definition.id.split('/').at(-1) ?? '', definition]] as const));
}

/** Prints a row as each node run ends. */
function liveTable(definition: WorkflowDefinition, terminal: Terminal): (run: NodeRun) => void {
  const widths = [Math.max(...definition.nodes.map((node) => width(node.name)), 4), 3, 7, 8, 6];
  terminal.out(`${line(nodeHeader, widths)}\n`);
  return (nodeRun) => terminal.out(`${line(nodeCells({ ...nodeRun, items: nodeRun.outputs.map((items) => items?.length ?? null) }), widths)}\n`);
}

/** What the last node put out, one output after the other. */
function ending({ status, lastNode, runs }: ExecutionResult): string {
  const last = runs.findLast((nodeRun) => nodeRun.node === lastNode);
  const outputs = (last?.outputs ?? []).flatMap((items, index) => (items && items.length > 0 ? [{ index, items }] : []));
  const blocks = outputs.map(({ index, items }) => {
    const which = index === 0 ? '' : ` (output ${index})`;
    return `\n${oneLine(lastNode ?? '')}${which}:\n${items.map((item) => `${JSON.stringify(item.json, null, 2)}\n`).join('')}`;
  });
  return `${blocks.join('')}\n${status}\n`;
}

