import { parseFragment } from 'parse5';
import type { DefaultTreeAdapterTypes } from 'parse5';
import { safeUrl } from './form.ts';
import { Html, html } from './html.ts';

/** Elements that say something and do nothing. */
const allowed = new Set(['p', 'br', 'hr', 'b', 'strong', 'i', 'em', 'u', 's', 'small', 'sub', 'sup', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'dl', 'dt', 'dd', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'div', 'span', 'a']);
const empty = new Set(['br', 'hr']);
/** Elements whose content is no text for people. */
const dropped = new Set(['script', 'style', 'template', 'noscript', 'iframe', 'object', 'title', 'textarea', 'select', 'svg', 'math']);

const maxDepth = 50;

/** What people wrote as HTML with everything but plain formatting and links left out. */
export function safeHtml(source: string): Html {
  return new Html(nodesOf(parseFragment(source.slice(0, 100_000)).childNodes, 0));
}

function nodesOf(nodes: readonly DefaultTreeAdapterTypes.ChildNode[], depth: number): string {
  return depth > maxDepth ? '' : nodes.map((node) => nodeOf(node, depth)).join('');
}

function nodeOf(node: DefaultTreeAdapterTypes.ChildNode, depth: number): string {
  if ('value' in node) return html`${node.value}`.source;
  if (!('tagName' in node) || dropped.has(node.tagName)) return '';
  const inside = nodesOf(node.childNodes, depth + 1);
  if (!allowed.has(node.tagName)) return inside;
  if (empty.has(node.tagName)) return `<${node.tagName}>`;
  const target = node.tagName === 'a' ? safeUrl(node.attrs.find(({ name }) => name === 'href')?.value ?? '') : undefined;
  const attributes = target === undefined ? '' : html` href="${target}" rel="noopener noreferrer" target="_blank"`.source;
  return `<${node.tagName}${attributes}>${inside}</${node.tagName}>`;
}
