import type { Item } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { startItems } from '../triggers/start-items.ts';
import { DEFAULT_MISFIRE_LIMIT, MAX_MISFIRE_LIMIT } from './schedule.ts';
import { tickItem } from './tick-item.ts';

/** Starts a workflow at set times; the times are claimed and fired outside the engine. */
export const scheduleTriggerNode: NodeType = {
  type: 'scheduleTrigger', displayName: 'Schedule Trigger', group: 'trigger', versions: [1, 1.1, 1.2], effect: 'pure', inputs: 0, outputs: ['main'],
  description: 'Starts the workflow at set times, in the workflow\'s timezone. The item says when it was due: `timestamp`, `Readable date`, `Day of week` and so on. See docs/schedules.md.',
  parameters: [
    {
      name: 'rule', type: 'collection', required: true,
      description: '`{interval: [{field, …}]}`, any number of rules. `field` is seconds (`secondsInterval`), minutes (`minutesInterval`), hours (`hoursInterval`, `triggerAtMinute`), '
        + 'days (`daysInterval`, `triggerAtHour`, `triggerAtMinute`), weeks (`weeksInterval`, `triggerAtDay`, …), months (`monthsInterval`, `triggerAtDayOfMonth`, …) or cronExpression (`expression`, five or six fields).',
    },
    {
      name: 'options', type: 'collection',
      description: '`misfire`: what happens to ticks that were missed while nothing could fire them: skip, latest (one execution, the default) or all. '
        + `\`misfireLimit\`: how many at most with all, 1 to ${MAX_MISFIRE_LIMIT}, default ${DEFAULT_MISFIRE_LIMIT}. \`jitter\`: a duration such as 5m by which ticks are spread over schedules; each schedule keeps its own share of it.`,
    },
  ],
  execute: giveTick,
};

/** n8n's node before `scheduleTrigger`. */
export const cronNode: NodeType = {
  type: 'cron', displayName: 'Cron', group: 'trigger', versions: [1], effect: 'pure', inputs: 0, outputs: ['main'],
  description: 'Starts the workflow at set times; the older form of `scheduleTrigger`.',
  parameters: [
    {
      name: 'triggerTimes', type: 'collection', required: true,
      description: '`{item: [{mode, …}]}`. `mode` is everyMinute, everyHour (`minute`), everyDay (`hour`, `minute`; the default), everyWeek (`weekday`, …), everyMonth (`dayOfMonth`, …), everyX (`value`, `unit`) or custom (`cronExpression`).',
    },
  ],
  execute: giveTick,
};

/** n8n's simplest schedule. */
export const intervalNode: NodeType = {
  type: 'interval', displayName: 'Interval', group: 'trigger', versions: [1], effect: 'pure', inputs: 0, outputs: ['main'],
  description: 'Starts the workflow every so often; an older form of `scheduleTrigger`.',
  parameters: [
    { name: 'interval', type: 'number', default: 1, description: 'How many units lie between two executions.' },
    { name: 'unit', type: 'options', default: 'seconds', options: ['seconds', 'minutes', 'hours'], description: 'The unit of `interval`.' },
  ],
  execute: giveTick,
};

function giveTick(context: NodeContext): Item[][] {
  const given = startItems(context);
  const [first] = given;
  const isEmpty = given.length === 1 && first !== undefined && Object.keys(first.json).length === 0;
  if (!isEmpty) return [given];
  // Started by hand: what a tick would say that is due now.
  return [[{ ...tickItem(Math.floor(context.now() / 1000) * 1000, context.workflow.settings?.timezone ?? 'UTC'), pairedItem: { item: 0 } }]];
}
