/** One part of a template: text as it stands, or the source of an expression with where it starts in the template. */
export type Segment = { kind: 'text'; text: string } | { kind: 'code'; code: string; offset: number };

const OPEN = '{{';
const CLOSE = '}}';

/**
 * Splits the text after the leading `=`. An expression ends at the first `}}` that no backslash precedes, even inside a
 * string or a nested object, as in n8n. A backslash before `{{` makes it text; so is a `{{` that is never closed.
 */
export function parseTemplate(template: string): Segment[] {
  const segments: Segment[] = [];
  let text = '';
  let at = 0;
  const flush = (): void => {
    if (text !== '') segments.push({ kind: 'text', text });
    text = '';
  };
  for (;;) {
    const open = template.indexOf(OPEN, at);
    const close = open < 0 ? -1 : closingBraces(template, open + OPEN.length);
    if (close < 0) {
      text += template.slice(at);
      flush();
      return segments;
    }
    if (open > at && template[open - 1] === '\\') {
      text += template.slice(at, open - 1) + OPEN;
      at = open + OPEN.length;
      continue;
    }
    text += template.slice(at, open);
    flush();
    segments.push({ kind: 'code', code: template.slice(open + OPEN.length, close), offset: open + OPEN.length });
    at = close + CLOSE.length;
  }
}

function closingBraces(template: string, from: number): number {
  let close = template.indexOf(CLOSE, from);
  while (close > from && template[close - 1] === '\\') close = template.indexOf(CLOSE, close + 1);
  return close;
}

/** A template that is one expression and nothing else keeps the type of its value; anything else is text. */
export function isSingleExpression(segments: readonly Segment[]): boolean {
  return segments.length === 1 && segments[0]?.kind === 'code';
}
