/** Aligned columns, two blanks apart, as kubectl prints them. The last column is not padded. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(width(title), ...rows.map((row) => width(row[column] ?? ''))));
  return [header, ...rows].map((row) => `${line(row, widths)}\n`).join('');
}

/** One row of a table whose column widths are known before all rows are. */
export function line(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => (column === cells.length - 1 ? oneLine(cell) : oneLine(cell) + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell)))));
  return padded.join('  ').trimEnd();
}

/** Terminal columns a text takes: wide East Asian letters and emoji take two. */
export function width(text: string): number {
  let columns = 0;
  for (const { segment } of graphemes.segment(oneLine(text))) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide = /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u;

/** Control characters could move the cursor or forge lines: names and messages come from other people. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}

/** `850ms`, `4.2s`, `3m5s`, `2h10m`, `5d`: two units at most. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  if (seconds < 86_400) return pair(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'm');
  return `${Math.floor(seconds / 86_400)}d`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
