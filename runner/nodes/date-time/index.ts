import { DateTime, type DateTimeUnit, type DurationUnit } from 'luxon';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { setPath, pathKeys } from '../dot-path.ts';
import { mapItems } from '../item-errors.ts';
import { asList, asText } from '../json-value.ts';
import { parseMoment } from '../moment.ts';
import { flagParameter, numberParameter, textParameter } from '../parameter-value.ts';
import { luxonFormat } from './moment-format.ts';

const UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'] as const;

function unitOf(name: string): DateTimeUnit {
  const unit = UNITS.find((each) => each === name || `${each}s` === name);
  if (unit) return unit;
  throw new WorkflowError('UnknownUnit', `There is no unit of time "${name}". Use one of ${UNITS.join(', ')}.`, { nonRetryable: true });
}

const zoneOf = (context: NodeContext): string => context.workflow.settings?.timezone ?? 'utc';

/** The date in a parameter. Throws WorkflowError InvalidDate. */
function dateAt(context: NodeContext, path: string, itemIndex: number, zone?: string): DateTime {
  const value = context.parameter(path, itemIndex);
  const format = textParameter(context, 'options.fromFormat', itemIndex);
  const moment = format === '' ? parseMoment(value, zone) : fromFormat(asText(value), format, zone);
  if (moment) return moment;
  throw new WorkflowError('InvalidDate', `'${asText(value)}' is not a date${format === '' ? '' : ` of the form ${format}`}. Use ISO 8601 such as 2024-05-16T07:08:09Z.`, { parameter: path, itemIndex });
}

function fromFormat(text: string, format: string, zone?: string): DateTime | undefined {
  const parsed = DateTime.fromFormat(text, format, { zone: 'utc', setZone: true });
  if (!parsed.isValid) return undefined;
  return zone === undefined ? parsed : parsed.setZone(zone);
}

type Operation = (context: NodeContext, itemIndex: number) => unknown;

const shift = (sign: 1 | -1): Operation => (context, index) => {
  const unit = unitOf(textParameter(context, 'timeUnit', index, 'days'));
  return dateAt(context, 'magnitude', index, zoneOf(context)).plus({ [unit]: sign * numberParameter(context, 'duration', index, 0) }).toISO();
};

const OPERATIONS: Readonly<Record<string, { output: string; run: Operation }>> = {
  getCurrentDate: {
    output: 'currentDate',
    run: (context, index) => {
      const zone = textParameter(context, 'options.timezone', index, zoneOf(context));
      const now = DateTime.fromMillis(context.now(), { zone });
      if (!now.isValid) throw new WorkflowError('InvalidTimezone', `There is no timezone '${zone}'. Use an IANA name such as Europe/Berlin.`, { parameter: 'options.timezone', nonRetryable: true });
      return (flagParameter(context, 'includeTime', index, true) ? now : now.startOf('day')).toISO();
    },
  },
  addToDate: { output: 'newDate', run: shift(1) },
  subtractFromDate: { output: 'newDate', run: shift(-1) },
  formatDate: {
    output: 'formattedDate',
    run: (context, index) => {
      const format = textParameter(context, 'format', index, 'MM/dd/yyyy');
      const date = dateAt(context, 'date', index, flagParameter(context, 'options.timezone', index) ? zoneOf(context) : undefined);
      return date.toFormat(format === 'custom' ? textParameter(context, 'customFormat', index) : format);
    },
  },
  roundDate: {
    output: 'roundedDate',
    run: (context, index) => {
      const up = context.parameter('mode', index, 'roundDown') === 'roundUp';
      const unit = unitOf(textParameter(context, up ? 'to' : 'toNearest', index, 'month'));
      const start = dateAt(context, 'date', index, zoneOf(context)).startOf(unit);
      return (up ? start.plus({ [unit]: 1 }) : start).toISO();
    },
  },
  getTimeBetweenDates: {
    output: 'timeDifference',
    run: (context, index) => {
      const units = asList(context.parameter('units', index, ['day'])).map((unit): DurationUnit => unitOf(asText(unit)));
      const difference = dateAt(context, 'endDate', index, zoneOf(context)).diff(dateAt(context, 'startDate', index, zoneOf(context)), units);
      return flagParameter(context, 'options.isoString', index) ? difference.toISO() : difference.toObject();
    },
  },
  extractDate: {
    output: 'datePart',
    run: (context, index) => {
      const part = textParameter(context, 'part', index, 'month');
      const date = dateAt(context, 'date', index, zoneOf(context));
      const unit = unitOf(part);
      return unit === 'week' ? date.weekNumber : date.get(unit);
    },
  },
};

/** Version 1: formats, in Moment's tokens, or adds and subtracts; the result goes beside the input's fields. */
function legacyValue(context: NodeContext, index: number): unknown {
  const format = textParameter(context, 'options.fromFormat', index);
  const value = context.parameter('value', index);
  const parsed = format === '' ? parseMoment(value) : fromFormat(asText(value), luxonFormat(format));
  if (!parsed) throw new WorkflowError('InvalidDate', `'${asText(value)}' is not a date. Use ISO 8601, or say how it is written in \`options.fromFormat\`.`, { parameter: 'value', itemIndex: index });
  const from = textParameter(context, 'options.fromTimezone', index, zoneOf(context));
  const hasZone = typeof value !== 'string' || /(?:z|[+-]\d{2}:?\d{2})$/i.test(value.trim());
  const date = hasZone ? parsed : parsed.setZone(from, { keepLocalTime: true });
  if (context.parameter('action', index, 'format') === 'calculate') {
    const sign = context.parameter('operation', index, 'add') === 'subtract' ? -1 : 1;
    return date.plus({ [unitOf(textParameter(context, 'timeUnit', index, 'days'))]: sign * numberParameter(context, 'duration', index, 0) }).toUTC().toISO();
  }
  return date.setZone(textParameter(context, 'options.toTimezone', index, zoneOf(context))).toFormat(luxonFormat(textParameter(context, 'toFormat', index, 'MM/DD/YYYY')));
}

function legacyJson(context: NodeContext, json: JsonObject, index: number): JsonObject {
  const result = { ...json };
  setPath(result, pathKeys(textParameter(context, 'dataPropertyName', index, 'data')), legacyValue(context, index));
  return result;
}

function currentJson(context: NodeContext, json: JsonObject, index: number): JsonObject {
  const name = textParameter(context, 'operation', index, 'getCurrentDate');
  const operation = OPERATIONS[name];
  if (!operation) throw new WorkflowError('UnknownOperator', `Date & Time has no operation "${name}".`, { parameter: 'operation', nonRetryable: true });
  const kept = flagParameter(context, 'options.includeInputFields', index) ? json : {};
  return { ...kept, [textParameter(context, 'outputFieldName', index, operation.output)]: operation.run(context, index) };
}

/** Computes with dates. */
export const dateTimeNode: NodeType = {
  type: 'dateTime', displayName: 'Date & Time', group: 'data', versions: [1, 2], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Adds to, subtracts from, formats, rounds and compares dates, in the workflow\'s timezone.',
  parameters: [
    { name: 'operation', type: 'options', options: Object.keys(OPERATIONS), default: 'getCurrentDate', description: 'What to do.' },
    { name: 'magnitude', type: 'dateTime', description: 'addToDate and subtractFromDate: the date to start from. Text without a zone is read in UTC.' },
    { name: 'timeUnit', type: 'options', options: [...UNITS], default: 'days', description: 'addToDate and subtractFromDate: the unit, also in the plural.' },
    { name: 'duration', type: 'number', default: 0, description: 'addToDate and subtractFromDate: how many of them.' },
    { name: 'date', type: 'dateTime', description: 'formatDate, roundDate and extractDate: the date.' },
    { name: 'format', type: 'string', default: 'MM/dd/yyyy', description: 'formatDate: a format in Luxon\'s tokens, or `custom`.' },
    { name: 'customFormat', type: 'string', description: 'formatDate, custom: the format.' },
    { name: 'mode', type: 'options', options: ['roundDown', 'roundUp'], default: 'roundDown', description: 'roundDate: to the start of the unit, or to the start of the next.' },
    { name: 'toNearest', type: 'string', default: 'month', description: 'roundDown: the unit.' },
    { name: 'to', type: 'string', default: 'month', description: 'roundUp: the unit.' },
    { name: 'startDate', type: 'dateTime', description: 'getTimeBetweenDates: from.' },
    { name: 'endDate', type: 'dateTime', description: 'getTimeBetweenDates: to.' },
    { name: 'units', type: 'json', default: ['day'], description: 'getTimeBetweenDates: a list of units the difference is split into.' },
    { name: 'part', type: 'string', default: 'month', description: 'extractDate: year, month, week, day, hour, minute or second.' },
    { name: 'includeTime', type: 'boolean', default: true, description: 'getCurrentDate: with the time, or midnight.' },
    { name: 'outputFieldName', type: 'string', description: 'The field for the result. Default currentDate, newDate, formattedDate, roundedDate, timeDifference or datePart.' },
    { name: 'action', type: 'options', options: ['format', 'calculate'], default: 'format', description: 'Version 1, with `value`, `toFormat` (Moment\'s tokens) and `dataPropertyName`, or `operation` (add, subtract), `duration` and `timeUnit`.' },
    { name: 'options', type: 'collection', default: {}, description: '`includeInputFields`: keep the item\'s fields. `fromFormat`: how the date is written. `timezone`: formatDate, use the workflow\'s zone; getCurrentDate, a zone. `isoString`: the difference as an ISO 8601 duration.' },
  ],
  execute: (context) => [mapItems(context, (item, index) => {
    const json = context.typeVersion < 2 ? legacyJson(context, item.json, index) : currentJson(context, item.json, index);
    return item.binary && context.typeVersion < 2 ? { json, binary: item.binary, pairedItem: { item: index } } : { json, pairedItem: { item: index } };
  })],
};
