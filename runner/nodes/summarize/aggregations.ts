import { WorkflowError } from '../../engine/error.ts';
import { asText } from '../json-value.ts';
import { stableKey } from '../stable-key.ts';

export interface Aggregation {
  /** What the output field's name starts with. */
  prefix: string;
  compute(values: readonly unknown[], settings: AggregationSettings): unknown;
}

export interface AggregationSettings {
  includeEmpty: boolean;
  separator: string;
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';

const filled = (values: readonly unknown[]): unknown[] => values.filter((value) => !isEmpty(value));

function numbers(values: readonly unknown[]): number[] {
  return filled(values).map((value) => {
    const number = typeof value === 'string' ? Number(value) : value;
    if (typeof number === 'number' && !Number.isNaN(number)) return number;
    throw new WorkflowError('FieldType', `'${asText(value)}' is not a number. Convert the field before summarizing it.`, { nonRetryable: true });
  });
}

const sum = (values: readonly unknown[]): number => numbers(values).reduce((total, value) => total + value, 0);

/** The smallest or largest value; numbers by size, text by its characters. */
function extreme(values: readonly unknown[], sign: 1 | -1): unknown {
  let found: unknown;
  for (const value of filled(values)) {
    if (found === undefined || sign * order(value, found) > 0) found = value;
  }
  return found ?? null;
}

function order(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [asText(a), asText(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}

export const AGGREGATIONS: Readonly<Record<string, Aggregation>> = {
  append: { prefix: 'appended', compute: (values, { includeEmpty }) => (includeEmpty ? values.map((value) => value ?? null) : filled(values)) },
  average: {
    prefix: 'average',
    compute: (values) => {
      const count = numbers(values).length;
      return count === 0 ? null : sum(values) / count;
    },
  },
  concatenate: { prefix: 'concatenated', compute: (values, { includeEmpty, separator }) => (includeEmpty ? values : filled(values)).map(asText).join(separator) },
  count: { prefix: 'count', compute: (values, { includeEmpty }) => (includeEmpty ? values : filled(values)).length },
  countUnique: { prefix: 'unique_count', compute: (values, { includeEmpty }) => new Set((includeEmpty ? values : filled(values)).map(stableKey)).size },
  max: { prefix: 'max', compute: (values) => extreme(values, 1) },
  min: { prefix: 'min', compute: (values) => extreme(values, -1) },
  sum: { prefix: 'sum', compute: sum },
};
