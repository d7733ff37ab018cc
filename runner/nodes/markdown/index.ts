import { NodeHtmlMarkdown, type NodeHtmlMarkdownOptions } from 'node-html-markdown';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeType } from '../../engine/node-type.ts';
import { pathKeys, setPath } from '../dot-path.ts';
import { fieldList } from '../field-list.ts';
import { mapItems } from '../item-errors.ts';
import { asObject, asObjects, asText } from '../json-value.ts';
import { textParameter } from '../parameter-value.ts';
import { markdownToHtml, TO_HTML_OPTIONS } from './to-html.ts';

/** Options of the node that the HTML reader has under the same name. */
const HTML_OPTIONS = ['bulletMarker', 'codeFence', 'codeBlockStyle', 'emDelimiter', 'strongDelimiter', 'keepDataImages', 'useLinkReferenceDefinitions', 'useInlineLinks', 'maxConsecutiveNewlines'];

const replacements = (value: unknown): [RegExp, string][] =>
  asObjects(asObject(value).values).map(({ pattern, replacement }) => [new RegExp(asText(pattern), 'g'), asText(replacement)]);

function toMarkdown(html: string, options: JsonObject): string {
  const chosen: Partial<NodeHtmlMarkdownOptions> = Object.fromEntries(HTML_OPTIONS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
  if (options.ignore !== undefined) Object.assign(chosen, { ignore: fieldList(options.ignore) });
  if (options.blockElements !== undefined) Object.assign(chosen, { blockElements: fieldList(options.blockElements) });
  if (options.textReplace !== undefined) Object.assign(chosen, { textReplace: replacements(options.textReplace) });
  return NodeHtmlMarkdown.translate(html, chosen);
}

/** Converts between Markdown and HTML. */
export const markdownNode: NodeType = {
  type: 'markdown', displayName: 'Markdown', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Converts Markdown to HTML or HTML to Markdown. The result is added to the item.',
  parameters: [
    { name: 'mode', type: 'options', options: ['markdownToHtml', 'htmlToMarkdown'], default: 'htmlToMarkdown', description: 'The direction.' },
    { name: 'markdown', type: 'string', description: 'markdownToHtml: the Markdown.' },
    { name: 'html', type: 'string', description: 'htmlToMarkdown: the HTML.' },
    { name: 'destinationKey', type: 'string', default: 'data', description: 'The field for the result; may be a dotted path.' },
    { name: 'options', type: 'collection', default: {}, description: `To HTML: ${Object.entries(TO_HTML_OPTIONS).map(([name, meaning]) => `\`${name}\`: ${meaning}`).join('; ')}. To Markdown: ${HTML_OPTIONS.map((name) => `\`${name}\``).join(', ')}, \`ignore\`, \`blockElements\`, \`textReplace.values\`.` },
  ],
  execute: (context) => [mapItems(context, (item, index) => {
    const options = asObject(context.parameter('options', index));
    const toMark = context.parameter('mode', index, 'htmlToMarkdown') !== 'markdownToHtml';
    const json = { ...item.json };
    setPath(json, pathKeys(textParameter(context, 'destinationKey', index, 'data')), toMark ? toMarkdown(textParameter(context, 'html', index), options) : markdownToHtml(textParameter(context, 'markdown', index), options));
    return { ...item, json, pairedItem: { item: index } };
  })],
};
