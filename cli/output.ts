import { Option } from 'commander';
import { stringify } from 'yaml';

export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml';

/** `-o`, for commands that print a table unless told otherwise. */
export function outputOption(choices: readonly OutputFormat[] = ['wide', 'json', 'yaml']): Option {
  return new Option('-o, --output <format>', 'how to print the result').choices(choices);
}

/** The value as JSON or YAML, or undefined when a table is wanted. */
export function structured(value: unknown, format: OutputFormat | undefined): string | undefined {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  if (format === 'yaml') return stringify(value, { aliasDuplicateObjects: false });
  return undefined;
}
