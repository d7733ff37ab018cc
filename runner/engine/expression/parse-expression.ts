import { parse, type Comment, type Expression, type Program } from 'acorn';

/** Source that does not parse; `position` counts characters from 0 in what was given to parse. */
export class SourceSyntaxError extends Error {
  readonly position: number;
  readonly line: number;

  constructor(message: string, position: number, line: number) {
    super(message);
    this.position = position;
    this.line = line;
  }
}

export interface ParsedSource {
  program: Program;
  comments: Comment[];
}

const OPENING = '(';

/** Parses a whole function body of strict JavaScript, `await` and `return` included. Throws SourceSyntaxError. */
export function parseBody(source: string): ParsedSource {
  const comments: Comment[] = [];
  try {
    const program = parse(source, {
      // Module code is strict and knows no HTML-like comments, as the code the evaluator gets.
      ecmaVersion: 'latest', sourceType: 'module', preserveParens: true, onComment: comments,
      allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true,
    });
    return { program, comments };
  } catch (error) {
    throw toSourceError(error, 0, source.length);
  }
}

/**
 * Parses the inside of `{{ … }}`: one expression, perhaps followed by semicolons. Undefined when there is nothing but white
 * space and comments. Throws SourceSyntaxError. Positions in the tree are those of `code` plus `prefix`.
 */
export function parseExpression(code: string): (ParsedSource & { expression: Expression; text: string; prefix: number }) | undefined {
  // In parentheses a leading `{` is an object and a declaration is an error; the line end closes a trailing line comment.
  const text = `${OPENING}${code.replace(/;[\s;]*$/, '')}\n)`;
  const comments: Comment[] = [];
  try {
    const program = parse(text, { ecmaVersion: 'latest', sourceType: 'module', preserveParens: true, onComment: comments, allowAwaitOutsideFunction: false });
    const [statement] = program.body;
    if (program.body.length !== 1 || statement?.type !== 'ExpressionStatement' || statement.expression.type !== 'ParenthesizedExpression') {
      throw new SourceSyntaxError('An expression must be one single expression', 0, 1);
    }
    return { program, comments, expression: statement.expression, text, prefix: OPENING.length };
  } catch (error) {
    if (isBlank(code)) return undefined;
    throw toSourceError(error, OPENING.length, code.length);
  }
}

function isBlank(code: string): boolean {
  return code.replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '').trim() === '';
}

function toSourceError(error: unknown, prefix: number, length: number): unknown {
  if (!(error instanceof SyntaxError)) return error;
  const { pos = 0, loc } = error as SyntaxError & { pos?: number; loc?: { line: number } };
  // acorn appends the position to its message.
  return new SourceSyntaxError(error.message.replace(/ \(\d+:\d+\)$/, ''), Math.min(Math.max(0, pos - prefix), length), loc?.line ?? 1);
}
