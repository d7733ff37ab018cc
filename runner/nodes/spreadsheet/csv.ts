import { parse } from 'csv-parse/sync';
import { WorkflowError } from '../../engine/error.ts';
import { asText } from '../json-value.ts';
import type { Cell, Sheet } from './rows.ts';

function written(cell: Cell, delimiter: string): string {
  // As spreadsheets write them.
  const text = typeof cell === 'boolean' ? String(cell).toUpperCase() : asText(cell);
  return text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180 with a byte order mark, which Excel needs to read UTF-8, and without a line break at the end. */
export const writeCsv = (sheet: Sheet, delimiter: string): string => `\uFEFF${sheet.map((row) => row.map((cell) => written(cell, delimiter)).join(delimiter)).join('\n')}`;

export interface CsvOptions {
  delimiter: string;
  /** Take a byte order mark off the first header. */
  stripBom: boolean;
  relaxQuotes: boolean;
  fromLine: number;
  maxRows: number | undefined;
  skipBroken: boolean;
}

/** Throws WorkflowError InvalidFile. */
export function readCsv(text: string, options: CsvOptions): Sheet {
  try {
    return parse(text, {
      delimiter: options.delimiter, bom: options.stripBom, relax_quotes: options.relaxQuotes, relax_column_count: true, skip_empty_lines: true,
      from_line: options.fromLine, skip_records_with_error: options.skipBroken, ...(options.maxRows !== undefined && { to: options.maxRows }),
    });
  } catch (cause) {
    throw new WorkflowError('InvalidFile', `The file is not CSV: ${cause instanceof Error ? cause.message : 'unknown reason'}. Check the delimiter and the quotes.`, { cause });
  }
}
