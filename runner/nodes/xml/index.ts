import { Builder, Parser } from 'xml2js';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { Compat, OnError } from '../../engine/workflow.ts';
import { getField } from '../dot-path.ts';
import { mapItemsInTurn } from '../item-errors.ts';
import { asObject, asText } from '../json-value.ts';
import { textParameter } from '../parameter-value.ts';

/** Throws WorkflowError InvalidXml. */
async function parseXml(text: string, options: JsonObject): Promise<JsonObject> {
  // Attributes beside elements and single elements as values: what most people expect of JSON.
  const parser = new Parser({ mergeAttrs: true, explicitArray: false, ...options });
  try {
    const parsed: unknown = await parser.parseStringPromise(text);
    return asObject(parsed);
  } catch (cause) {
    throw new WorkflowError('InvalidXml', `The text is not XML: ${cause instanceof Error ? cause.message.replaceAll('\n', ', ') : 'unknown reason'}.`, { parameter: 'dataPropertyName', cause });
  }
}

function buildXml(json: JsonObject, options: JsonObject): string {
  const { headless, rootName, attrkey, charkey, cdata, allowSurrogateChars } = options;
  return new Builder({
    ...(headless !== undefined && { headless: headless === true }), ...(rootName !== undefined && { rootName: asText(rootName) }),
    ...(attrkey !== undefined && { attrkey: asText(attrkey) }), ...(charkey !== undefined && { charkey: asText(charkey) }),
    cdata: cdata === true, allowSurrogateChars: allowSurrogateChars === true,
  }).buildObject(json);
}

async function convert(context: NodeContext, json: JsonObject, index: number): Promise<JsonObject> {
  const property = textParameter(context, 'dataPropertyName', index, 'data');
  const options = asObject(context.parameter('options', index));
  if (context.parameter('mode', index, 'xmlToJson') === 'jsonToxml') return { [property]: buildXml(json, options) };
  const text = getField(json, property);
  if (text === undefined) throw new WorkflowError('FieldMissing', `Item ${index} has no field '${property}'. Check its name.`, { itemIndex: index, parameter: 'dataPropertyName' });
  return parseXml(asText(text), options);
}

/** Converts between XML and JSON. */
export const xmlNode: NodeType = {
  type: 'xml', displayName: 'XML', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Converts XML in a field to JSON, or the item to XML in a field.',
  parameters: [
    { name: 'mode', type: 'options', options: ['xmlToJson', 'jsonToxml'], default: 'xmlToJson', description: 'The direction.' },
    { name: 'dataPropertyName', type: 'string', default: 'data', description: 'The field with the XML, or for it.' },
    { name: 'options', type: 'collection', default: {}, description: 'To JSON: `attrkey` ($), `charkey` (_), `explicitArray`, `explicitRoot` (on), `ignoreAttrs`, `mergeAttrs` (on), `normalize`, `normalizeTags`, `trim`. To XML: `allowSurrogateChars`, `attrkey`, `cdata`, `charkey`, `headless`, `rootName`.' },
  ],
  async execute(context) {
    const items = await mapItemsInTurn(context, async (item, index) => ({ json: await convert(context, item.json, index), pairedItem: { item: index } }));
    // With an error output n8n loses the items it cannot read, and the links of the others.
    const loses = context.compat !== Compat.Millrace && context.node.onError === OnError.ErrorOutput;
    return [loses ? items.filter(({ error }) => !error).map(({ json }) => ({ json })) : items];
  },
};
