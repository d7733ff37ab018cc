import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { asObject, asObjects, asText } from '../json-value.ts';
import { prepareValue } from '../parameter-value.ts';
import { convertField } from '../set/convert.ts';

/** What the called workflow gets: the items as they are, or per item the fields that the node maps, converted to their declared types. */
export function childItems(context: NodeContext): Item[] {
  const mapping = asObject(context.rawParameter('workflowInputs'));
  const value = asObject(mapping.value);
  const schema = asObjects(mapping.schema).filter(({ removed }) => removed !== true);
  const declared = Object.keys(value).length > 0 || schema.length > 0;
  if (mapping.mappingMode === 'autoMapInputData' || !declared) return context.input().map(plain);
  const types = new Map(schema.map(({ id, type }) => [asText(id), asText(type)]));
  const valuesOf = prepareValue(context, value);
  return context.input().map((item, index) => {
    const json: JsonObject = {};
    for (const [name, field] of Object.entries(asObject(valuesOf(index)))) json[name] = convert(name, field, types.get(name), mapping);
    return { ...plain(item, index), json };
  });
}

/** Without the link to this node's input, which means nothing in the child. */
const plain = (item: Item, index: number): Item => ({ ...item, pairedItem: { item: index } });

function convert(name: string, value: unknown, type: string | undefined, mapping: JsonObject): unknown {
  if (value === undefined || value === null) return null;
  if (mapping.attemptToConvertTypes === true && type && type !== 'any') return convertField(name, value, type, false);
  return mapping.convertFieldsToString === true && type === 'string' ? asText(value) : value;
}
