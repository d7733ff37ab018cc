import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { readSchedule } from './schedule.ts';
import { tickItem } from './tick-item.ts';

const rules = (...interval: JsonObject[]): JsonObject => ({ rule: { interval } });

test.each<{ given: JsonObject; want: unknown }>([
  { given: {}, want: { cron: '0 0 * * *' } },
  { given: { triggerAtHour: 7, triggerAtMinute: null }, want: { cron: '0 7 * * *' } },
  { given: { daysInterval: 3, triggerAtHour: 13 }, want: { cron: '0 13 * * *', every: { unit: 'day', count: 3 } } },
  { given: { field: 'seconds' }, want: { cron: '*/30 * * * * *' } },
  { given: { field: 'seconds', secondsInterval: 45 }, want: { periodMs: 45_000 } },
  { given: { field: 'minutes' }, want: { cron: '*/5 * * * *' } },
  { given: { field: 'minutes', minutesInterval: 60 }, want: { cron: '0 * * * *' } },
  { given: { field: 'minutes', minutesInterval: 90 }, want: { periodMs: 5_400_000 } },
  { given: { field: 'hours', triggerAtMinute: {} }, want: { cron: '0 */1 * * *' } },
  { given: { field: 'hours', hoursInterval: 5, triggerAtMinute: 10 }, want: { periodMs: 18_000_000, minute: 10 } },
  { given: { field: 'weeks', weeksInterval: 4, triggerAtDay: [2, 4, 0], triggerAtHour: '8' }, want: { cron: '0 8 * * 2,4,0', every: { unit: 'week', count: 4 } } },
  { given: { field: 'months', triggerAtDayOfMonth: 31, triggerAtHour: 18 }, want: { cron: '0 18 31 * *' } },
  { given: { field: 'cronExpression', expression: ' 0 */10 9-23 * * * ' }, want: { cron: '0 */10 9-23 * * *' } },
])('reads $given', ({ given, want }) => {
  expect(readSchedule({ type: 'scheduleTrigger', parameters: rules(given) }, 'Europe/Berlin')).toEqual({
    schedule: { rules: [want], timezone: 'Europe/Berlin', misfire: 'latest', misfireLimit: 100, jitterMs: 0 },
  });
});

test.each<{ name: string; given: JsonObject; timezone?: string; want: { code: string; parameter?: string } }>([
  { name: 'no rule', given: rules(), want: { code: 'ScheduleMissing', parameter: 'rule.interval' } },
  { name: 'an unknown field', given: rules({ field: 'moons' }), want: { code: 'ScheduleInvalid', parameter: 'rule.interval[0].field' } },
  { name: 'a number that is too small', given: rules({}, { daysInterval: 0 }), want: { code: 'ScheduleInvalid', parameter: 'rule.interval[1].daysInterval' } },
  { name: 'a day that is none', given: rules({ field: 'weeks', triggerAtDay: [7] }), want: { code: 'ScheduleInvalid', parameter: 'rule.interval[0].triggerAtDay' } },
  { name: 'an expression', given: rules({ triggerAtHour: '={{ 12 }}' }), want: { code: 'ScheduleIsExpression', parameter: 'rule.interval[0].triggerAtHour' } },
  { name: 'cron that is none', given: rules({ field: 'cronExpression', expression: '61 * * * *' }), want: { code: 'CronSyntax', parameter: 'rule.interval[0].expression' } },
  { name: 'no cron', given: rules({ field: 'cronExpression' }), want: { code: 'CronSyntax', parameter: 'rule.interval[0].expression' } },
  { name: 'an unknown policy', given: { ...rules({}), options: { misfire: 'never' } }, want: { code: 'ScheduleInvalid', parameter: 'options.misfire' } },
  { name: 'jitter that is no duration', given: { ...rules({}), options: { jitter: 'some' } }, want: { code: 'ScheduleInvalid', parameter: 'options.jitter' } },
  { name: 'jitter over a day', given: { ...rules({}), options: { jitter: '25h' } }, want: { code: 'ScheduleInvalid', parameter: 'options.jitter' } },
  { name: 'a timezone that is none', given: rules({}), timezone: 'Mars/Olympus', want: { code: 'TimezoneUnknown' } },
])('refuses $name', ({ given, timezone, want }) => {
  expect(readSchedule({ type: 'scheduleTrigger', parameters: given }, timezone)).toMatchObject({ problem: want });
});

test.each<{ type: string; given: JsonObject; want: unknown }>([
  { type: 'cron', given: { triggerTimes: { item: [{ hour: 9 }, { mode: 'everyX', unit: 'minutes', value: 10 }] } }, want: [{ cron: '0 9 * * *' }, { cron: '*/10 * * * *' }] },
  { type: 'cron', given: { triggerTimes: { item: [{}, { mode: 'everyMinute' }, { mode: 'everyHour', minute: 15 }] } }, want: [{ cron: '0 14 * * *' }, { cron: '*/1 * * * *' }, { cron: '15 */1 * * *' }] },
  { type: 'cron', given: { triggerTimes: { item: [{ mode: 'everyWeek', hour: 11, weekday: '5' }, { mode: 'everyMonth', hour: 8 }] } }, want: [{ cron: '0 11 * * 5' }, { cron: '0 8 1 * *' }] },
  { type: 'cron', given: { triggerTimes: { item: [{ mode: 'custom', cronExpression: '0 0 6-12 * * 1-5' }, { mode: 'everyX', value: 48 }] } }, want: [{ cron: '0 0 6-12 * * 1-5' }, { periodMs: 172_800_000, minute: 0 }] },
  { type: 'interval', given: { interval: 15, unit: 'minutes' }, want: [{ cron: '*/15 * * * *' }] },
  { type: 'interval', given: { interval: 2 }, want: [{ cron: '*/2 * * * * *' }] },
])('reads the older node $type: $given', ({ type, given, want }) => {
  expect(readSchedule({ type, parameters: given })).toMatchObject({ schedule: { rules: want } });
});

test('an older node without times has no rule', () => {
  expect(readSchedule({ type: 'cron', parameters: {} })).toMatchObject({ problem: { code: 'ScheduleMissing', parameter: 'triggerTimes.item' } });
});

test('the item says when, where the workflow is', () => {
  expect(tickItem(Date.parse('2026-07-21T11:05:09Z'), 'Europe/Berlin')).toEqual({
    json: {
      timestamp: '2026-07-21T13:05:09.000+02:00', 'Readable date': 'July 21st 2026, 1:05:09 pm', 'Readable time': '1:05:09 pm', 'Day of week': 'Tuesday',
      Year: '2026', Month: 'July', 'Day of month': '21', Hour: '13', Minute: '05', Second: '09', Timezone: 'Europe/Berlin (UTC+02:00)',
    },
  });
});
