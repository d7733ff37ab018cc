import type { AnyNode, Comment } from 'acorn';
import type { SourceEdits } from './source-edits.ts';
import { walk } from './syntax-tree.ts';

/**
 * The hardened evaluator refuses any source text that looks as if it held an HTML comment, `import(` or `eval(`, even in a
 * string or a comment. Honest code has such texts, so they are written differently where they mean nothing.
 */
const REFUSED = /<!--|-->|\bimport\s*(?:\(|\/[/*])|\beval\s*\(/;
const ARROWS = /<!--|-->/g;

/** Adds the edits that make `source` acceptable to the evaluator without changing what it does. */
export function avoidRefusedText(source: string, root: AnyNode, comments: readonly Comment[], edits: SourceEdits): void {
  if (!REFUSED.test(source)) return;
  const opaque: { start: number; end: number }[] = [];
  for (const comment of comments) {
    opaque.push(comment);
    edits.replace(comment.start, comment.end, blank(source.slice(comment.start, comment.end)));
  }
  walk(root, (node, parent) => {
    const text = rewritten(node, parent, source);
    if (node.type !== 'Literal' && node.type !== 'TemplateElement') return;
    opaque.push(node);
    if (text !== undefined) edits.replace(node.start, node.end, text);
  });
  for (const match of source.matchAll(ARROWS)) {
    const inside = opaque.some(({ start, end }) => start <= match.index && match.index < end);
    if (!inside) edits.insert(match.index + (match[0] === '<!--' ? 1 : 2), ' ');
  }
}

function rewritten(node: AnyNode, parent: AnyNode | undefined, source: string): string | undefined {
  const text = source.slice(node.start, node.end);
  if (!REFUSED.test(text)) return undefined;
  if (node.type === 'TemplateElement') {
    // A tag function sees the raw text, so that must stay.
    const tagged = parent?.type === 'TemplateLiteral' && /[\w)\]$]\s*$/.test(source.slice(0, parent.start));
    return tagged || typeof node.value.cooked !== 'string' ? undefined : escapeRefused(templateText(node.value.cooked));
  }
  if (node.type !== 'Literal') return undefined;
  if (node.regex) return text.replaceAll(/\\?<!--/g, String.raw`\x3c!--`).replaceAll('-->', String.raw`--\x3e`).replaceAll(/\bimport(?=\s*\()/g, String.raw`\x69mport`);
  return typeof node.value === 'string' ? escapeRefused(JSON.stringify(node.value)) : undefined;
}

function templateText(cooked: string): string {
  return cooked.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
}

function escapeRefused(text: string): string {
  return text
    .replaceAll('<!--', String.raw`\x3c!--`)
    .replaceAll('-->', String.raw`--\x3e`)
    .replaceAll(/\bimport(?=\s*(?:\(|\/[/*]))/g, String.raw`\x69mport`)
    .replaceAll(/\beval(?=\s*\()/g, String.raw`\x65val`);
}

/** White space of as many lines, so that line numbers stay right. */
function blank(comment: string): string {
  return ' ' + comment.replaceAll(/[^\n]/g, '');
}
