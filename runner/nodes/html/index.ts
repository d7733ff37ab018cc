import type { NodeType } from '../../engine/node-type.ts';
import { mapItems } from '../item-errors.ts';
import { textParameter } from '../parameter-value.ts';
import { extractHtml } from './extract.ts';
import { htmlTable } from './table.ts';

/** Makes and reads HTML. */
export const htmlNode: NodeType = {
  type: 'html', displayName: 'HTML', group: 'data', versions: [1, 1.1, 1.2], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Fills an HTML template, reads values out of HTML by CSS selectors, or makes a table of the items.',
  parameters: [
    { name: 'operation', type: 'options', options: ['generateHtmlTemplate', 'extractHtmlContent', 'convertToHtmlTable'], default: 'generateHtmlTemplate', description: 'What to do.' },
    { name: 'html', type: 'string', description: 'generateHtmlTemplate: the HTML, with expressions. The result is the field `html`.' },
    { name: 'sourceData', type: 'options', options: ['json', 'binary'], default: 'json', description: 'extractHtmlContent: whether the HTML is in a field or a file.' },
    { name: 'dataPropertyName', type: 'string', default: 'data', description: 'extractHtmlContent: the field or the property of the file. A list of texts gives an item for each.' },
    { name: 'extractionValues', type: 'collection', description: '`{values: [{key, cssSelector, returnValue: "text" | "attribute" | "html" | "value", attribute, returnArray, skipSelectors}]}`.' },
    { name: 'options', type: 'collection', default: {}, description: 'extract: `trimValues` (on), `cleanUpText` (white space becomes single spaces). table: `caption`, `capitalize`, `customStyling`, `tableAttributes`, `headerAttributes`, `rowAttributes`, `cellAttributes`.' },
  ],
  async execute(context) {
    const operation = textParameter(context, 'operation', 0, 'generateHtmlTemplate');
    if (operation === 'extractHtmlContent') return [await extractHtml(context)];
    if (operation === 'convertToHtmlTable') return [htmlTable(context)];
    return [mapItems(context, (_, index) => ({ json: { html: textParameter(context, 'html', index) }, pairedItem: { item: index } }))];
  },
};
