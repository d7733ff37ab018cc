import { asObject, asObjects, asText } from './json-value.ts';

/**
 * Field names as users write them: `a, b` or a list, or the older `{fields: [{fieldName}]}`. Blank names are dropped.
 */
export function fieldList(value: unknown): string[] {
  const names = Array.isArray(value) ? value.map(asText) : typeof value === 'string' ? value.split(',') : legacyNames(value);
  return names.map((name) => name.trim()).filter((name) => name !== '');
}

function legacyNames(value: unknown): string[] {
  return asObjects(asObject(value).fields).map((field) => asText(field.fieldName));
}
