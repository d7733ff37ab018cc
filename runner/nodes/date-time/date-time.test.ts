import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';
import { luxonFormat } from './moment-format.ts';

const run = async (parameters: JsonObject, version = 2, timezone = 'America/New_York'): Promise<unknown> => {
  const { json, error } = await runNode({ type: 'dateTime', version, items: [{ d: '2024-05-16T07:08:09Z', keep: 1 }], parameters, settings: { timezone }, host: { now: () => Date.parse('2024-05-16T07:08:09Z') } });
  return error ?? json[0]?.[0];
};

test.each([
  [{}, { currentDate: '2024-05-16T03:08:09.000-04:00' }], [{ includeTime: false, options: { timezone: 'Europe/Berlin' } }, { currentDate: '2024-05-16T00:00:00.000+02:00' }],
  [{ operation: 'addToDate', magnitude: '={{ $json.d }}', timeUnit: 'month', duration: 1, options: { includeInputFields: true } }, { d: '2024-05-16T07:08:09Z', keep: 1, newDate: '2024-06-16T03:08:09.000-04:00' }],
  [{ operation: 'formatDate', date: '={{ $json.d }}' }, { formattedDate: '05/16/2024' }],
  [{ operation: 'formatDate', date: '={{ $json.d }}', format: 'custom', customFormat: 'yyyy HH:mm', options: { timezone: true }, outputFieldName: 'x' }, { x: '2024 03:08' }],
  [{ operation: 'formatDate', date: '16.05.2024', format: 'yyyy-MM-dd', options: { fromFormat: 'dd.MM.yyyy' } }, { formattedDate: '2024-05-16' }],
  [{ operation: 'roundDate', date: '={{ $json.d }}', toNearest: 'week' }, { roundedDate: '2024-05-13T00:00:00.000-04:00' }],
  [{ operation: 'getTimeBetweenDates', startDate: '2024-01-01', endDate: '2024-01-02T12:00:00Z', units: ['day', 'hour'], options: { isoString: true } }, { timeDifference: 'P1DT12H' }],
  [{ operation: 'extractDate', date: '={{ $json.d }}', part: 'hour' }, { datePart: 3 }], [{ operation: 'extractDate', date: '={{ $json.d }}', part: 'week' }, { datePart: 20 }],
])('computes %p', async (parameters, want) => expect(await run(parameters)).toEqual(want));

test.each([
  [{ value: '={{ $json.d }}', toFormat: 'DD.MM.YYYY HH:mm' }, '16.05.2024 03:08'], [{ value: '14/02/2020', toFormat: 'MMMM DD YYYY', options: { fromFormat: 'DD/MM/YYYY' } }, 'February 14 2020'],
  [{ action: 'calculate', value: '={{ $json.d }}', operation: 'subtract', duration: 1, timeUnit: 'hours' }, '2024-05-16T06:08:09.000Z'],
])('version 1 computes %p beside the fields', async (parameters, data) => expect(await run(parameters, 1)).toEqual({ d: '2024-05-16T07:08:09Z', keep: 1, data }));

test.each([
  [{ operation: 'addToDate', magnitude: 'soon', duration: 1 }, 'InvalidDate'], [{ operation: 'addToDate', magnitude: '2024-01-01', timeUnit: 'moons' }, 'UnknownUnit'],
  [{ options: { timezone: 'No/Where' } }, 'InvalidTimezone'], [{ operation: 'juggle' }, 'UnknownOperator'],
])('refuses %p', async (parameters, code) => expect(await run(parameters)).toMatchObject({ code, node: 'Node', itemIndex: 0 }));

test.each([['YYYY-MM-DD', 'yyyy-MM-dd'], ['dddd, MMMM D [at] h:mm A', "cccc, MMMM d 'at' h:mm a"], ['DDD', 'o']])('reads the Moment format %s', (moment, luxon) => expect(luxonFormat(moment)).toBe(luxon));
