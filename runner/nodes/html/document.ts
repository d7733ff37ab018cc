import { select } from 'cheerio-select';
import type { AnyNode, Document, Element } from 'domhandler';
import { isTag } from 'domhandler';
import { getAttributeValue, removeElement, textContent } from 'domutils';
import { parse, serialize } from 'parse5';
import { adapter } from 'parse5-htmlparser2-tree-adapter';
import { WorkflowError } from '../../engine/error.ts';

/** Parsed as browsers do: html, head and body are always there. */
export const parseDocument = (html: string): Document => parse(html, { treeAdapter: adapter });

/** The elements a CSS selector finds, in document order. Throws WorkflowError InvalidSelector. */
export function findAll(root: AnyNode, selector: string): Element[] {
  try {
    return select(selector, root).filter(isTag);
  } catch (cause) {
    throw new WorkflowError('InvalidSelector', `'${selector}' is not a CSS selector.`, { parameter: 'extractionValues', nonRetryable: true, cause });
  }
}

export const innerHtml = (element: Element): string => serialize(element, { treeAdapter: adapter });

export const attributeOf = (element: Element, name: string): string | undefined => getAttributeValue(element, name);

/** The value of a form field: what is chosen in a select, the text of a textarea, else the attribute. */
export function fieldValue(element: Element): string | undefined {
  if (element.name === 'textarea') return textContent(element);
  if (element.name !== 'select') return getAttributeValue(element, 'value');
  const options = findAll(element, 'option');
  const chosen = options.find((option) => 'selected' in option.attribs) ?? options[0];
  return chosen && (getAttributeValue(chosen, 'value') ?? textContent(chosen));
}

/** The element's text without what `skip` selects, scripts and styles. */
export function textOf(element: Element, skip: string): string {
  const hidden = findAll(element, skip === '' ? 'script, style, noscript' : `script, style, noscript, ${skip}`);
  if (hidden.length === 0) return textContent(element);
  const copy = element.cloneNode(true);
  for (const part of findAll(copy, skip === '' ? 'script, style, noscript' : `script, style, noscript, ${skip}`)) removeElement(part);
  return textContent(copy);
}
