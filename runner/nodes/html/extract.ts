import type { Element } from 'domhandler';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { binaryFrom } from '../binary-property.ts';
import { getField } from '../dot-path.ts';
import { mapItemsInTurn } from '../item-errors.ts';
import { asList, asObject, asObjects, asText } from '../json-value.ts';
import { textParameter } from '../parameter-value.ts';
import { WorkflowError } from '../../engine/error.ts';
import { attributeOf, fieldValue, findAll, innerHtml, parseDocument, textOf } from './document.ts';

interface Cleaning { trim: boolean; condense: boolean }

function clean(value: unknown, how: Cleaning): unknown {
  if (typeof value !== 'string') return value;
  const trimmed = how.trim || how.condense ? value.trim() : value;
  return how.condense ? trimmed.replaceAll(/\s+/g, ' ') : trimmed;
}

/** What one value of the node takes from one element. */
function readElement(element: Element, wanted: JsonObject): unknown {
  switch (wanted.returnValue ?? 'text') {
    case 'attribute': return attributeOf(element, asText(wanted.attribute));
    case 'html': return innerHtml(element);
    case 'value': return fieldValue(element);
    default: return textOf(element, asText(wanted.skipSelectors));
  }
}

/** One value: of the first element, of all as a list, or as text of all in a row. */
function readValue(elements: readonly Element[], wanted: JsonObject, how: Cleaning): unknown {
  if (wanted.returnArray === true) return elements.map((element) => clean(readElement(element, wanted), how));
  if ((wanted.returnValue ?? 'text') === 'text') return clean(elements.map((element) => asText(readElement(element, wanted))).join(''), how);
  const [first] = elements;
  return first && clean(readElement(first, wanted), how);
}

async function sourceOf(context: NodeContext, item: Item, index: number): Promise<string[]> {
  const property = textParameter(context, 'dataPropertyName', index, 'data');
  if (context.parameter('sourceData', index, 'json') === 'binary') {
    return [Buffer.from(await context.binaries.get(binaryFrom(item, property, index))).toString('utf8')];
  }
  const value = getField(item.json, property);
  if (value === undefined) throw new WorkflowError('FieldMissing', `Item ${index} has no field '${property}'. Check its name.`, { itemIndex: index, parameter: 'dataPropertyName' });
  return Array.isArray(value) ? asList(value).map(asText) : [asText(value)];
}

/** Reads values out of HTML by CSS selectors; a list of HTML texts gives an item each. */
export function extractHtml(context: NodeContext): Promise<Item[]> {
  return mapItemsInTurn(context, async (item, index) => {
    const options = asObject(context.parameter('options', index));
    const wanted = asObjects(context.parameter('extractionValues.values', index));
    // Trimming is on by default since version 1.1.
    const how: Cleaning = { trim: options.trimValues !== false, condense: options.cleanUpText === true };
    return (await sourceOf(context, item, index)).map((html) => {
      const document = parseDocument(html);
      const json: JsonObject = {};
      for (const value of wanted) json[asText(value.key)] = readValue(findAll(document, asText(value.cssSelector)), value, how);
      return { json, pairedItem: { item: index } };
    });
  });
}
