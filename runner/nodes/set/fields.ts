import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { keysOf, setPath } from '../dot-path.ts';
import { asObject, asObjects, asText } from '../json-value.ts';
import { prepareValue, type ValueOf } from '../parameter-value.ts';
import { convertField } from './convert.ts';

/** Writes the node's fields for one item into an object that belongs to the caller. */
export type Assign = (target: JsonObject, itemIndex: number) => void;

interface Field { name: ValueOf; value: ValueOf; type: ValueOf | undefined }

/** The fields of every version of the node: assignments (3.3 on), fields.values (3.0 to 3.2), values per type (1 and 2). */
function fieldsOf(context: NodeContext): Field[] {
  const prepare = (raw: unknown): ValueOf => prepareValue(context, raw);
  if (context.typeVersion < 3) {
    return Object.values(asObject(context.rawParameter('values'))).flatMap((list) =>
      asObjects(list).map(({ name, value }) => ({ name: prepare(name), value: prepare(value), type: undefined })));
  }
  if (context.typeVersion < 3.3) {
    return asObjects(context.rawParameter('fields.values')).map((field) => {
      const kind = asText(field.type) || 'stringValue';
      return { name: prepare(field.name), value: prepare(field[kind]), type: prepare(kind.replace(/Value$/, '')) };
    });
  }
  return asObjects(context.rawParameter('assignments.assignments')).map((field) => (
    { name: prepare(field.name), value: prepare(field.value), type: prepare(field.type ?? 'string') }));
}

export function compileFields(context: NodeContext): Assign {
  const options = asObject(context.rawParameter('options'));
  const dots = options.dotNotation !== false;
  const keepMisfits = options.ignoreConversionErrors === true;
  const fields = fieldsOf(context);
  return (target, itemIndex) => {
    for (const field of fields) {
      const name = asText(field.name(itemIndex));
      const value = field.value(itemIndex);
      setPath(target, keysOf(name, dots), field.type ? convertField(name, value, asText(field.type(itemIndex)), keepMisfits) : value);
    }
  };
}
