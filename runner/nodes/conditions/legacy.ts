import { WorkflowError } from '../../engine/error.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { asObject, asObjects, asText, textOrNone } from '../json-value.ts';
import { parseMoment } from '../moment.ts';
import { prepareValue } from '../parameter-value.ts';
import type { Predicate } from './conditions.ts';
import { parsePattern } from './operators.ts';

type Compare = (left: unknown, right: unknown) => boolean;

const number = (value: unknown): number => Number(value ?? 0);
const isEmpty: Compare = (value) => value === undefined || value === null || value === '' || Number.isNaN(value);

const millis = (value: unknown): number => {
  const moment = parseMoment(value);
  if (moment) return moment.toMillis();
  throw new WorkflowError('InvalidDate', `'${asText(value)}' is not a date. Use ISO 8601 such as 2024-05-16T07:08:09Z.`);
};

/** Comparisons of the node versions that keep conditions in lists per type. They convert freely and have no strict mode. */
const COMPARISONS: Record<string, Compare> = {
  equal: (left, right) => left === right, notEqual: (left, right) => left !== right,
  contains: (left, right) => asText(left).includes(asText(right)), notContains: (left, right) => !asText(left).includes(asText(right)),
  startsWith: (left, right) => asText(left).startsWith(asText(right)), notStartsWith: (left, right) => !asText(left).startsWith(asText(right)),
  endsWith: (left, right) => asText(left).endsWith(asText(right)), notEndsWith: (left, right) => !asText(left).endsWith(asText(right)),
  regex: (left, right) => parsePattern(asText(right)).test(asText(left)), notRegex: (left, right) => !parsePattern(asText(right)).test(asText(left)),
  larger: (left, right) => number(left) > number(right), largerEqual: (left, right) => number(left) >= number(right),
  smaller: (left, right) => number(left) < number(right), smallerEqual: (left, right) => number(left) <= number(right),
  after: (left, right) => millis(left) > millis(right), before: (left, right) => millis(left) < millis(right),
  isEmpty, isNotEmpty: (left) => !isEmpty(left, undefined),
};

/** What a condition means when it names no operation, and what its right side is when it has none. */
const DEFAULTS: Record<string, { operation: string; right: unknown }> = {
  string: { operation: 'equal', right: '' }, number: { operation: 'smaller', right: 0 },
  boolean: { operation: 'equal', right: false }, dateTime: { operation: 'after', right: undefined },
};

/** Throws WorkflowError UnknownOperator. */
export function legacyComparison(type: string, operation: string | undefined): Compare {
  const compare = COMPARISONS[operation ?? DEFAULTS[type]?.operation ?? 'equal'];
  if (compare) return compare;
  throw new WorkflowError('UnknownOperator', `There is no condition operator "${operation}". Choose one that the reference lists.`);
}

/** Prepares `{string: [{value1, operation, value2}], number: […], boolean: […], dateTime: […]}`. */
export function compileLegacyConditions(context: NodeContext, raw: unknown, any: boolean): Predicate {
  const tests = Object.entries(asObject(raw)).flatMap(([type, list]) =>
    asObjects(list).map((condition): Predicate => {
      const compare = legacyComparison(type, textOrNone(condition.operation));
      const left = prepareValue(context, condition.value1);
      const right = prepareValue(context, condition.value2 ?? DEFAULTS[type]?.right);
      return (itemIndex) => compare(left(itemIndex), right(itemIndex));
    }));
  return any ? (itemIndex) => tests.some((test) => test(itemIndex)) : (itemIndex) => tests.every((test) => test(itemIndex));
}
