import type { NodeType } from '../../engine/node-type.ts';
import { startItems } from '../triggers/start-items.ts';

/** Starts a workflow at set times; the times are claimed and fired outside the engine. */
export const scheduleTriggerNode: NodeType = {
  type: 'scheduleTrigger', displayName: 'Schedule Trigger', group: 'trigger', versions: [1, 1.1, 1.2], effect: 'pure', inputs: 0, outputs: ['main'],
  description: 'Starts the workflow at set times, in the workflow\'s timezone. The item says when: `timestamp`, `Readable date`, `Day of week` and so on.',
  parameters: [
    {
      name: 'rule', type: 'collection', required: true,
      description: '`{interval: [{field, …}]}`, any number of rules. `field` is seconds (`secondsInterval`), minutes (`minutesInterval`), hours (`hoursInterval`, `triggerAtMinute`), '
        + 'days (`daysInterval`, `triggerAtHour`, `triggerAtMinute`), weeks (`weeksInterval`, `triggerAtDay`, …), months (`monthsInterval`, `triggerAtDayOfMonth`, …) or cronExpression (`expression`, five or six fields).',
    },
  ],
  execute: (context) => [startItems(context)],
};
