import { DateTime } from 'luxon';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import { asList } from '../json-value.ts';

interface Property { name: string; parameters: Record<string, string>; value: string }

const unescape = (text: string): string => text.replaceAll(/\\([nN,;\\])/g, (_, character: string) => (character.toLowerCase() === 'n' ? '\n' : character));

/** Content lines of RFC 5545, unfolded. */
function propertiesOf(text: string): Property[] {
  return text.replaceAll(/\r?\n[ \t]/g, '').split(/\r?\n/).filter((line) => line !== '').flatMap((line) => {
    const match = /^([\w-]+)((?:;[\w-]+=(?:"[^"]*"|[^":;,]*)(?:,(?:"[^"]*"|[^":;,]*))*)*):(.*)$/s.exec(line);
    if (!match) return [];
    const parameters: Record<string, string> = {};
    for (const [, name = '', value = ''] of (match[2] ?? '').matchAll(/;([\w-]+)=((?:"[^"]*"|[^";])*)/g)) parameters[name.toUpperCase()] = value.replaceAll('"', '');
    return [{ name: (match[1] ?? '').toUpperCase(), parameters, value: match[3] ?? '' }];
  });
}

/** A date or date-time as ISO 8601; local times are in the zone that the property names. */
function dateValue({ value, parameters }: Property): JsonObject {
  if (/^\d{8}$/.test(value)) return { type: 'DATE', date: DateTime.fromFormat(value, 'yyyyMMdd', { zone: 'utc' }).toISO() ?? value };
  const zone = value.endsWith('Z') ? 'utc' : parameters.TZID ?? 'utc';
  const date = DateTime.fromFormat(value.replace(/Z$/, ''), "yyyyMMdd'T'HHmmss", { zone });
  return { type: 'DATE-TIME', date: date.isValid ? date.toUTC().toISO() : value, ...(parameters.TZID && { timezone: parameters.TZID }) };
}

const person = ({ value, parameters }: Property): JsonObject => ({ email: value.replace(/^mailto:/i, ''), ...(parameters.CN && { name: parameters.CN }) });

/** Properties of an event with a name of their own here; others keep theirs in camel case. */
const NAMES: Readonly<Record<string, string>> = { DTSTAMP: 'stamp', DTSTART: 'start', DTEND: 'end', 'LAST-MODIFIED': 'lastModified', RRULE: 'recurrenceRule', GEO: 'geo', ATTENDEE: 'attendees' };

const camel = (name: string): string => name.toLowerCase().replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function addTo(event: JsonObject, property: Property): void {
  const key = NAMES[property.name] ?? camel(property.name);
  if (/^(DT|CREATED|LAST-MODIFIED)/.test(property.name)) event[key] = dateValue(property);
  else if (property.name === 'ORGANIZER') event[key] = person(property);
  else if (property.name === 'ATTENDEE') event[key] = [...asList(event[key]), person(property)];
  else if (property.name === 'SEQUENCE' || property.name === 'PRIORITY') event[key] = Number(property.value);
  else event[key] = unescape(property.value);
}

/** `{version, prodId, method, …, events: [{uid, summary, start: {type, date}, …}]}`. Throws WorkflowError InvalidFile. */
export function readCalendar(text: string): JsonObject {
  const calendar: JsonObject = {};
  const events: JsonObject[] = [];
  const open: string[] = [];
  for (const property of propertiesOf(text)) {
    if (property.name === 'BEGIN') {
      open.push(property.value.toUpperCase());
      if (open.at(-1) === 'VEVENT') events.push({});
    } else if (property.name === 'END') open.pop();
    else if (open.length === 1) calendar[property.name === 'PRODID' ? 'prodId' : camel(property.name)] = unescape(property.value);
    else if (open.at(-1) === 'VEVENT') addTo(events.at(-1) ?? {}, property);
  }
  if (open.length === 0 && (events.length > 0 || Object.keys(calendar).length > 0)) return { ...calendar, events };
  throw new WorkflowError('InvalidFile', 'The file is not an iCalendar file.', { nonRetryable: true });
}
