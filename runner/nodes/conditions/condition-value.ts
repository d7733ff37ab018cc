import { WorkflowError } from '../../engine/error.ts';
import { asText } from '../json-value.ts';
import { isDateTime, parseMoment } from '../moment.ts';

/** The types an operator can ask of its sides; `any` takes everything as it is. */
const CONDITION_TYPES = ['string', 'number', 'boolean', 'dateTime', 'array', 'object', 'any'] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** Throws WorkflowError UnknownOperator. */
export function conditionType(name: string): ConditionType {
  const found = CONDITION_TYPES.find((type) => type === name);
  if (found) return found;
  throw new WorkflowError('UnknownOperator', `There is no condition type "${name}". Use one of ${CONDITION_TYPES.join(', ')}.`);
}

const article = (type: string): string => (/^[ao]/.test(type) ? `an ${type}` : `a ${type}`);

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/**
 * Checks, or in loose mode converts, one side of a condition. Missing values pass as undefined or null: no operator treats
 * them as a type error. Dates come out as milliseconds since the epoch.
 * Throws WorkflowError ConditionType.
 */
export function conditionValue(value: unknown, type: ConditionType, loose: boolean): unknown {
  if (type === 'any' || value === undefined || value === null) return value;
  const converted = loose ? convert(value, type) : check(value, type);
  if (converted !== undefined) return converted.value;
  const what = loose ? `Conversion error: '${asText(value)}' (${typeName(value)}) is not ${article(type)} and cannot become one`
    : `Wrong type: '${asText(value)}' is ${article(typeName(value))} but ${article(type)} was expected`;
  throw new WorkflowError('ConditionType', `${what}. Turn on "Convert types where required" or convert the value in the expression.`);
}

interface Converted { value: unknown }

function check(value: unknown, type: ConditionType): Converted | undefined {
  switch (type) {
    case 'array': return Array.isArray(value) ? { value } : undefined;
    case 'object': return typeof value === 'object' && !Array.isArray(value) ? { value } : undefined;
    case 'dateTime': return toMillis(value);
    case 'number': return typeof value === 'number' ? { value } : undefined;
    default: return typeof value === type ? { value } : undefined;
  }
}

function convert(value: unknown, type: ConditionType): Converted | undefined {
  switch (type) {
    case 'string': return { value: asText(value) };
    case 'number': return toNumber(value);
    case 'boolean': return toBoolean(value);
    case 'array': case 'object': return check(parseJson(value), type);
    case 'dateTime': return value === '' ? { value: undefined } : toMillis(value);
    default: return { value };
  }
}

function toMillis(value: unknown): Converted | undefined {
  if (isDateTime(value)) return { value: value.toMillis() };
  const moment = parseMoment(value);
  return moment && { value: moment.toMillis() };
}

function toNumber(value: unknown): Converted | undefined {
  if (value === '') return { value: undefined };
  if (typeof value === 'boolean') return { value: Number(value) };
  if (isDateTime(value)) return { value: value.toMillis() };
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isNaN(number) && typeof value !== 'number' ? undefined : { value: number };
}

function toBoolean(value: unknown): Converted | undefined {
  if (typeof value === 'boolean') return { value };
  if (value === '') return { value: false };
  const text = asText(value).toLowerCase().trim();
  if (text === 'true' || text === '1') return { value: true };
  if (text === 'false' || text === '0') return { value: false };
  return undefined;
}

function parseJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
