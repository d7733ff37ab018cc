import { WorkflowError } from '../../engine/error.ts';
import { asText } from '../json-value.ts';

/** Compares the two checked sides of a condition. */
export type Operator = (left: unknown, right: unknown, caseSensitive: boolean) => boolean;

const exists: Operator = (left) => left !== undefined && left !== null && !Number.isNaN(left);

const not = (operator: Operator): Operator => (left, right, caseSensitive) => !operator(left, right, caseSensitive);

const text = (value: unknown, caseSensitive: boolean): string => (caseSensitive ? asText(value) : asText(value).toLowerCase());

const onText = (compare: (left: string, right: string) => boolean): Operator =>
  (left, right, caseSensitive) => compare(text(left, caseSensitive), text(right, caseSensitive));

const onNumbers = (compare: (left: number, right: number) => boolean): Operator =>
  (left, right) => typeof left === 'number' && typeof right === 'number' && compare(left, right);

const onLength = (compare: (left: number, right: number) => boolean): Operator =>
  (left, right) => typeof right === 'number' && compare(Array.isArray(left) ? left.length : 0, right);

const patterns = new Map<string, RegExp>();

/** `^a+$` or `/^a+$/i`. Throws WorkflowError InvalidPattern. */
export function parsePattern(source: string): RegExp {
  const known = patterns.get(source);
  if (known) return known;
  const slashed = /^\/(.*)\/([a-z]*)$/s.exec(source);
  try {
    // Without g and y: a pattern that keeps its position would judge equal items differently.
    const pattern = new RegExp(slashed?.[1] ?? source, slashed?.[2]?.replaceAll(/[gy]/g, '') ?? '');
    if (patterns.size > 1000) patterns.clear();
    patterns.set(source, pattern);
    return pattern;
  } catch (cause) {
    throw new WorkflowError('InvalidPattern', `'${source}' is not a regular expression. Correct the pattern.`, { cause });
  }
}

const matches: Operator = (left, right) => parsePattern(text(right, true)).test(text(left, true));

const equalText = onText((left, right) => left === right);
const contains = onText((left, right) => left.includes(right));
const startsWith = onText((left, right) => left.startsWith(right));
const endsWith = onText((left, right) => left.endsWith(right));
const emptyText = onText((left) => left === '');

const sameValue: Operator = (left, right) => (left ?? null) === (right ?? null);

const includes: Operator = (left, right, caseSensitive) => {
  if (!Array.isArray(left)) return false;
  if (caseSensitive || typeof right !== 'string') return left.includes(right);
  const wanted = right.toLowerCase();
  return left.some((entry) => (typeof entry === 'string' ? entry.toLowerCase() === wanted : entry === right));
};

const emptyArray: Operator = (left) => !Array.isArray(left) || left.length === 0;
const emptyObject: Operator = (left) => typeof left !== 'object' || left === null || Object.keys(left).length === 0;

const presence = { exists, notExists: not(exists) };
const missing = { empty: not(exists), notEmpty: exists };

const comparisons = {
  gt: onNumbers((left, right) => left > right), lt: onNumbers((left, right) => left < right),
  gte: onNumbers((left, right) => left >= right), lte: onNumbers((left, right) => left <= right),
};

/** Operators by type and name, as n8n's condition editor writes them. */
const OPERATORS: Record<string, Record<string, Operator>> = {
  string: {
    ...presence, empty: emptyText, notEmpty: not(emptyText), equals: equalText, notEquals: not(equalText),
    contains, notContains: not(contains), startsWith, notStartsWith: not(startsWith), endsWith, notEndsWith: not(endsWith),
    regex: matches, notRegex: not(matches),
  },
  number: { ...presence, ...missing, equals: sameValue, notEquals: not(sameValue), ...comparisons },
  dateTime: {
    ...presence, ...missing, equals: sameValue, notEquals: not(sameValue),
    after: comparisons.gt, before: comparisons.lt, afterOrEquals: comparisons.gte, beforeOrEquals: comparisons.lte,
  },
  boolean: {
    ...presence, ...missing, equals: sameValue, notEquals: not(sameValue),
    true: (left) => left === true, false: (left) => left !== true,
  },
  array: {
    ...presence, empty: emptyArray, notEmpty: not(emptyArray), contains: includes, notContains: not(includes),
    lengthEquals: onLength((left, right) => left === right), lengthNotEquals: onLength((left, right) => left !== right),
    lengthGt: onLength((left, right) => left > right), lengthLt: onLength((left, right) => left < right),
    lengthGte: onLength((left, right) => left >= right), lengthLte: onLength((left, right) => left <= right),
  },
  object: { ...presence, empty: emptyObject, notEmpty: not(emptyObject) },
};

/** Operators that look at the left side only. */
const ONE_SIDED = new Set(['exists', 'notExists', 'empty', 'notEmpty', 'true', 'false']);

export const isOneSided = (operation: string): boolean => ONE_SIDED.has(operation);

/** Throws WorkflowError UnknownOperator. */
export function operatorFor(type: string, operation: string): Operator {
  const operator = OPERATORS[type]?.[operation];
  if (operator) return operator;
  throw new WorkflowError('UnknownOperator', `There is no condition operator "${type} ${operation}". Choose one that the reference lists.`);
}
