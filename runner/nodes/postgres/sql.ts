import { WorkflowError } from '../../engine/error.ts';
import type { DatabaseStatement } from '../../engine/database.ts';
import { asText } from '../json-value.ts';

/** A name as SQL takes it, whatever is in it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Texts, quoted names and comments, where a `$1` is none; then what stands for a value. */
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$(?<tag>[A-Za-z_]\w*)?\$[\s\S]*?\$\k<tag>\$|\$(?<index>\d+)(?<format>:name)?/g;

/**
 * A query as it is written in the node: `$1` is the first value, sent apart from the text, and `$1:name` the first value as a quoted name.
 * Values that the text does not use are left out, which PostgreSQL insists on.
 */
export function withValues(query: string, given: readonly unknown[]): DatabaseStatement {
  const used: number[] = [];
  const text = query.replaceAll(TOKENS, (token: string, ...rest: unknown[]) => {
    const { index, format } = rest.at(-1) as { index?: string; format?: string };
    if (index === undefined) return token;
    const position = Number(index) - 1;
    if (position < 0 || position >= given.length) {
      throw new WorkflowError('ParameterInvalid', `The query uses $${index}, and options.queryReplacement has ${given.length === 1 ? '1 value' : `${given.length} values`}.`, { parameter: 'options.queryReplacement', nonRetryable: true });
    }
    if (format !== undefined) return quoted(asText(given[position]));
    if (!used.includes(position)) used.push(position);
    return `$${used.indexOf(position) + 1}`;
  });
  return used.length === 0 ? { text } : { text, values: used.map((position) => given[position]) };
}

/** Collects values for `$1`, `$2`, … of one statement. */
export class Values {
  readonly list: unknown[] = [];

  /** The placeholder of a value. */
  add(value: unknown): string {
    this.list.push(value);
    return `$${this.list.length}`;
  }
}
