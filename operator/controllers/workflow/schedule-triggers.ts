import type { WorkflowDefinition } from '../../../runner/engine/workflow.ts';
import { readSchedule } from '../../../runner/nodes/schedule-trigger/schedule.ts';
import type { OtherTrigger } from '../../../store/route.ts';
import type { Problem } from './problem.ts';

const SCHEDULES: ReadonlySet<string> = new Set(['scheduleTrigger', 'cron', 'interval']);

/** The schedules of the nodes that are switched on, and what is wrong with the others. */
export function scheduleTriggers({ nodes, settings }: Pick<WorkflowDefinition, 'nodes' | 'settings'>): { triggers: OtherTrigger[]; problems: Problem[] } {
  const triggers: OtherTrigger[] = [];
  const problems: Problem[] = [];
  for (const node of nodes) {
    if (!SCHEDULES.has(node.type) || node.disabled === true) continue;
    const read = readSchedule(node, settings?.timezone);
    if ('schedule' in read) triggers.push({ kind: 'Schedule', node: node.name, options: { ...read.schedule } });
    else problems.push({ severity: 'error', node: node.name, ...read.problem });
  }
  return { triggers, problems };
}
