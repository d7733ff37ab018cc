import * as z from 'zod';

/** A Kubernetes structural schema: the part of OpenAPI v3 that CustomResourceDefinitions accept. */
export interface StructuralSchema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  properties?: Record<string, StructuralSchema>;
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  required?: string[];
  [keyword: string]: unknown;
}

/** What JSON Schema can say and a structural schema cannot. */
const FORBIDDEN = ['anyOf', 'oneOf', 'allOf', 'not', '$ref', 'patternProperties', 'const', 'nullable'];
const INT32 = { max: 2_147_483_647, min: -2_147_483_648 };

/**
 * The structural form of a zod schema. Throws, naming the path, on what has none: model a union as optional keys with
 * `maxProperties: 1` and a CEL rule.
 */
export function toStructural(schema: z.ZodType): StructuralSchema {
  const json: StructuralSchema = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline', cycles: 'throw' })));
  return normalize(json, '$');
}

function normalize(schema: StructuralSchema, path: string): StructuralSchema {
  const { anyOf: _, additionalProperties, ...rest } = schema;
  if (rest['x-kubernetes-int-or-string'] === true) return rest;
  if (rest['x-kubernetes-preserve-unknown-fields'] === true) return { ...rest, type: 'object' };
  for (const keyword of FORBIDDEN) {
    if (keyword in schema) throw new TypeError(`${path}: '${keyword}' has no structural form; model it as optional keys with a CEL rule`);
  }
  if (rest.type === undefined) throw new TypeError(`${path}: the schema has no type`);
  const result = rest.type === 'integer' ? normalizeInteger(rest) : rest;
  if (result.format === 'date-time') delete result.pattern;
  if (result.properties !== undefined) {
    result.properties = Object.fromEntries(Object.entries(result.properties).map(([name, property]) => [name, normalize(property, `${path}.${name}`)]));
  }
  if (result.items !== undefined) result.items = normalize(result.items, `${path}[]`);
  // zod's strict objects say `additionalProperties: false`; Kubernetes prunes or refuses unknown fields by itself.
  if (typeof additionalProperties === 'object') result.additionalProperties = normalize(additionalProperties, `${path}{}`);
  return result;
}

/** Turns the bounds that only say "32 bits" or "a safe integer" into formats. */
function normalizeInteger(schema: StructuralSchema): StructuralSchema {
  const result = { ...schema };
  const { minimum, maximum } = result;
  if (minimum === INT32.min || minimum === Number.MIN_SAFE_INTEGER) delete result.minimum;
  if (maximum === INT32.max) {
    delete result.maximum;
    result.format ??= 'int32';
  } else if (maximum === Number.MAX_SAFE_INTEGER) {
    delete result.maximum;
    result.format ??= 'int64';
  } else {
    result.format ??= 'int32';
  }
  return result;
}
