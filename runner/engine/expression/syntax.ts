import { findForbidden } from './forbidden.ts';
import { parseExpression, SourceSyntaxError } from './parse-expression.ts';
import { parseTemplate } from './template.ts';

/**
 * Checks the syntax of a template (the text after the leading `=`) without evaluating anything and without the sandbox, so
 * that admission, the CLI and the dashboard's API can use it. Gives a message with the position, or undefined when fine.
 */
export function checkTemplate(template: string): string | undefined {
  for (const segment of parseTemplate(template)) {
    if (segment.kind === 'text') continue;
    const problem = checkExpression(segment.code);
    if (problem) return `${problem.message} at character ${segment.offset + problem.position + 1}`;
  }
  return undefined;
}

function checkExpression(code: string): { message: string; position: number } | undefined {
  try {
    const parsed = parseExpression(code);
    const forbidden = parsed && findForbidden(parsed.expression);
    return forbidden && { message: forbidden.message, position: Math.max(0, forbidden.node.start - parsed.prefix) };
  } catch (error) {
    if (error instanceof SourceSyntaxError) return { message: error.message, position: error.position };
    throw error;
  }
}
