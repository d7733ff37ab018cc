import { WorkflowError } from '../../engine/error.ts';
import { toJson } from '../json-clean.ts';
import { parseLooseJson } from '../json-text.ts';
import { asText, isObject } from '../json-value.ts';

const article = (type: string): string => (/^[ao]/.test(type) ? `an ${type}` : `a ${type}`);

/**
 * The value as the field's declared type. Missing values are null whatever the type.
 * Throws WorkflowError FieldType when it cannot be converted, unless `keepMisfits` hands it back as it is.
 */
export function convertField(name: string, raw: unknown, type: string, keepMisfits: boolean): unknown {
  // As in n8n: a JavaScript date becomes JSON text, quotes included, like any other object.
  if (raw instanceof Date && type === 'string') return JSON.stringify(raw);
  const value = toJson(raw) ?? null;
  if (value === null) return null;
  const converted = Object.hasOwn(CONVERSIONS, type) ? CONVERSIONS[type]?.(value) : undefined;
  if (converted !== undefined) return converted;
  if (keepMisfits || !Object.hasOwn(CONVERSIONS, type)) return value;
  throw new WorkflowError('FieldType', `'${name}' expects ${article(type)} but got '${asText(value)}'. Change the field's type, or turn on "Ignore type conversion errors".`, { parameter: name });
}

/** Each gives undefined for what does not fit. */
const CONVERSIONS: Record<string, (value: unknown) => unknown> = {
  string: asText,
  number: (value) => {
    const number = typeof value === 'string' || typeof value === 'boolean' ? Number(value) : value;
    return typeof number === 'number' && !Number.isNaN(number) ? number : undefined;
  },
  boolean: (value) => {
    const text = asText(value).toLowerCase();
    if (text === 'true' || text === '1') return true;
    return text === 'false' || text === '0' ? false : undefined;
  },
  array: (value) => {
    const parsed = parsedFrom(value, '[');
    return Array.isArray(parsed) ? parsed : undefined;
  },
  object: (value) => {
    const parsed = parsedFrom(value, '{');
    return isObject(parsed) ? parsed : undefined;
  },
};

/** JSON text, when it starts like what is wanted; everything else as it is. */
const parsedFrom = (value: unknown, start: string): unknown =>
  (typeof value === 'string' && value.trimStart().startsWith(start) ? parseLooseJson(value) : value);
