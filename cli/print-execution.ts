import type { Execution, ExecutionDetail } from '../api/rest/schemas.ts';
import { nodeCells, nodeHeader } from './node-rows.ts';
import { duration, oneLine, table } from './table.ts';

/** One execution for people: what it is, how it ended, and every node run. */
export function executionText(execution: ExecutionDetail, now: number): string {
  const facts: [string, string | undefined][] = [
    ['Execution', execution.id],
    ['Workflow', `${execution.namespace}/${execution.workflow}`],
    ['Revision', execution.revision.slice(0, 12)],
    ['Status', execution.status],
    ['Mode', execution.mode],
    ['Pool', execution.pool],
    ['Runner', execution.runner],
    ['Accepted', execution.createdAt],
    ['Waited', execution.startedAt && duration(Date.parse(execution.startedAt) - Date.parse(execution.createdAt))],
    ['Took', tookOf(execution, now)],
    ['Attempts', execution.attempts > 1 ? String(execution.attempts) : undefined],
    ['Undone', execution.compensated === undefined ? undefined : `${execution.compensated} node run${execution.compensated === 1 ? '' : 's'}`],
    ['Error', execution.error && `${execution.error.code}${execution.error.node === undefined ? '' : ` in ${execution.error.node}`}: ${execution.error.message}`],
  ];
  const known = facts.flatMap(([name, value]) => (value === undefined ? [] : [`${`${name}:`.padEnd(11)} ${oneLine(value)}\n`]));
  const nodes = execution.nodes.length === 0 ? 'No node has run yet.\n' : table(nodeHeader, execution.nodes.map(nodeCells));
  return `${known.join('')}\n${nodes}`;
}

const listHeader = ['ID', 'WORKFLOW', 'STATUS', 'AGE', 'TOOK'] as const;
const wideHeader = [...listHeader, 'MODE', 'POOL', 'REVISION', 'ERROR'] as const;

/** A page of executions, one a line. */
export function executionTable(executions: readonly Execution[], options: { wide: boolean; allNamespaces: boolean; now: number }): string {
  const rows = executions.map((execution) => [
    ...(options.allNamespaces ? [execution.namespace] : []),
    execution.id, execution.workflow, execution.status,
    duration(Math.max(0, options.now - Date.parse(execution.createdAt))),
    tookOf(execution, options.now) ?? '',
    ...(options.wide ? [execution.mode, execution.pool, execution.revision.slice(0, 12), execution.error?.code ?? ''] : []),
  ]);
  const header = options.wide ? wideHeader : listHeader;
  return table(options.allNamespaces ? ['NAMESPACE', ...header] : header, rows);
}

/** From the first start to the end, or until now. */
export function tookOf({ startedAt, finishedAt }: Execution, now: number): string | undefined {
  if (startedAt === undefined) return undefined;
  return duration(Math.max(0, (finishedAt === undefined ? now : Date.parse(finishedAt)) - Date.parse(startedAt)));
}
