import { DateTime } from 'luxon';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { asObject, asObjects, asText, isObject } from '../json-value.ts';
import { parseMoment } from '../moment.ts';
import { flagParameter } from '../parameter-value.ts';

const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll(';', '\\;').replaceAll(',', '\\,').replaceAll(/\r?\n/g, '\\n');

const quote = (text: string): string => `"${text.replaceAll(/["\r\n]/g, '')}"`;

/** RFC 5545, 3.1: lines are at most 75 bytes; what is longer goes on after a space. */
function fold(line: string): string {
  const parts: string[] = [];
  let part = '';
  for (const character of line) {
    if (Buffer.byteLength(part + character) > (parts.length === 0 ? 75 : 74)) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part].join('\r\n ');
}

function dateAt(context: NodeContext, path: string, itemIndex: number, zone: string): DateTime | undefined {
  const value = context.parameter(path, itemIndex);
  if (value === undefined || value === '') return undefined;
  const date = parseMoment(value, zone);
  if (date) return date;
  throw new WorkflowError('InvalidDate', `'${asText(value)}' is not a date and time. Use ISO 8601 such as 2024-05-16T07:08:09Z.`, { parameter: path, itemIndex });
}

const utc = (date: DateTime): string => date.toUTC().toFormat("yyyyMMdd'T'HHmmss'Z'");

/** Options that become a property with text. */
const TEXT_OPTIONS: Readonly<Record<string, string>> = { description: 'DESCRIPTION', location: 'LOCATION' };
/** Options whose value stands as it is. */
const RAW_OPTIONS: Readonly<Record<string, string>> = { url: 'URL', recurrenceRule: 'RRULE', status: 'STATUS', sequence: 'SEQUENCE', busyStatus: 'X-MICROSOFT-CDO-BUSYSTATUS' };

function people(fields: JsonObject): string[] {
  const organizer = asObject(asObject(fields.organizerUi).organizerValues);
  const named = organizer.email === undefined ? [] : [`ORGANIZER;CN=${quote(asText(organizer.name))}:mailto:${asText(organizer.email)}`];
  const attendees = asObjects(asObject(fields.attendeesUi).attendeeValues);
  return [...named, ...attendees.map(({ name, email, rsvp }) => `ATTENDEE;RSVP=${rsvp === true ? 'TRUE' : 'FALSE'};CN=${quote(asText(name))}:mailto:${asText(email)}`)];
}

function optional(fields: JsonObject): string[] {
  const lines = Object.entries(fields).flatMap(([name, value]) => {
    const text = asText(value);
    if (text === '') return [];
    if (TEXT_OPTIONS[name]) return [`${TEXT_OPTIONS[name]}:${escape(text)}`];
    return RAW_OPTIONS[name] ? [`${RAW_OPTIONS[name]}:${text.replaceAll(/[\r\n]/g, '')}`] : [];
  });
  const place = asObject(asObject(fields.geolocationUi).geolocationValues);
  const geo = isObject(fields.geolocationUi) && place.lat !== undefined ? [`GEO:${asText(place.lat)};${asText(place.lon)}`] : [];
  return [...lines, ...geo, ...people(fields)];
}

/** One event as an iCalendar file (RFC 5545). All-day events end, as the standard counts, on the day after their last. */
export function calendarFile(context: NodeContext, index: number): string {
  const fields = asObject(context.parameter('additionalFields', index));
  const zone = fields.useWorkflowTimezone === true ? context.workflow.settings?.timezone ?? 'utc' : 'utc';
  const start = dateAt(context, 'start', index, zone) ?? DateTime.fromMillis(context.now(), { zone });
  const end = dateAt(context, 'end', index, zone) ?? start;
  const day = (date: DateTime): string => date.toFormat('yyyyMMdd');
  const times = flagParameter(context, 'allDay', index)
    ? [`DTSTART;VALUE=DATE:${day(start)}`, `DTEND;VALUE=DATE:${day(end.plus({ days: 1 }))}`]
    : [`DTSTART:${utc(start)}`, `DTEND:${utc(end)}`];
  const calendarName = asText(fields.calendarName);
  const lines = [
    'BEGIN:VCALENDAR', 'VERSION:2.0', 'CALSCALE:GREGORIAN', 'PRODID:-//Millrace//Convert to File//EN', 'METHOD:PUBLISH',
    ...(calendarName === '' ? [] : [`X-WR-CALNAME:${escape(calendarName)}`]),
    'BEGIN:VEVENT', `UID:${asText(fields.uid) || `${context.idempotencyKey(index)}@millrace`}`, `DTSTAMP:${utc(DateTime.fromMillis(context.now()))}`, ...times,
    `SUMMARY:${escape(asText(context.parameter('title', index)))}`, ...optional(fields), 'END:VEVENT', 'END:VCALENDAR',
  ];
  return `${lines.map(fold).join('\r\n')}\r\n`;
}
