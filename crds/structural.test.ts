import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { definitionOf } from './definition.ts';
import { kinds } from './kinds.ts';
import type { StructuralSchema } from './structural.ts';
import { toStructural } from './structural.ts';

test.each([
  { name: 'a union', schema: z.strictObject({ a: z.union([z.string(), z.boolean()]) }), message: "$.a: 'anyOf' has no structural form" },
  { name: 'a nullable field', schema: z.strictObject({ a: z.string().nullable() }), message: '$.a: ' },
  { name: 'a value of no known type', schema: z.strictObject({ a: z.array(z.unknown()) }), message: '$.a[]: the schema has no type' },
])('$name is refused with its path', ({ schema, message }) => {
  expect(() => toStructural(schema)).toThrow(message);
});

test.each([
  { name: 'int32', schema: z.int32(), want: { type: 'integer', format: 'int32' } },
  { name: 'int64', schema: z.int(), want: { type: 'integer', format: 'int64' } },
  { name: 'bounded integer', schema: z.int32().min(0).max(9), want: { type: 'integer', format: 'int32', minimum: 0, maximum: 9 } },
  { name: 'strict object', schema: z.strictObject({ a: z.string() }), want: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } },
  { name: 'map', schema: z.record(z.string(), z.string()), want: { type: 'object', additionalProperties: { type: 'string' } } },
  {
    name: 'any object', schema: z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true }),
    want: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
  {
    name: 'int or string', schema: z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true }),
    want: { 'x-kubernetes-int-or-string': true },
  },
])('$name has a structural form', ({ schema, want }) => {
  expect(toStructural(schema)).toEqual(want);
});

function* fields(schema: StructuralSchema, path: string): Generator<{ path: string; schema: StructuralSchema }> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield { path: `${path}.${name}`, schema: property };
    yield* fields(property, `${path}.${name}`);
  }
  if (schema.items) yield* fields(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* fields(schema.additionalProperties, `${path}{}`);
}

describe.each(kinds)('$kind', (kind) => {
  const definition = definitionOf(kind);
  const version = definition.spec.versions[0];
  const schema: StructuralSchema = version?.schema.openAPIV3Schema ?? {};
  const all = [...fields(schema, '')].filter(({ path }) => path !== '.metadata');

  test('every field is described, for kubectl explain', () => {
    expect(all.filter((field) => !field.schema.description).map(({ path }) => path)).toEqual([]);
  });

  test('every list is bounded and says how it is merged', () => {
    const lists = all.filter((field) => field.schema.type === 'array');
    expect(lists.filter((field) => field.schema.maxItems === undefined || field.schema['x-kubernetes-list-type'] === undefined).map(({ path }) => path)).toEqual([]);
  });

  test('every text and every map in the spec is bounded', () => {
    const open = all.filter(({ path, schema: field }) => path.startsWith('.spec')
      && ((field.type === 'string' && field.maxLength === undefined && field.enum === undefined)
        || (field.additionalProperties !== undefined && field.maxProperties === undefined)));
    expect(open.map(({ path }) => path)).toEqual([]);
  });

  test('nothing in the spec is defaulted, so that the cluster shows what is in git', () => {
    expect(all.filter(({ path, schema: field }) => path.startsWith('.spec') && 'default' in field).map(({ path }) => path)).toEqual([]);
  });

  test('a new object is not healthy before the operator has seen it', () => {
    expect(schema.properties?.status?.default).toEqual({ observedGeneration: -1 });
    expect(schema.properties?.status?.properties?.observedGeneration).toMatchObject({ type: 'integer', format: 'int64' });
  });

  test('is small enough for Helm and for client-side apply', () => {
    expect(JSON.stringify(definition).length).toBeLessThan(64 * 1024);
  });

  test('shows Ready, Status and Age and belongs to the category millrace', () => {
    expect(kind.columns.map(({ name }) => name)).toEqual(expect.arrayContaining(['Ready', 'Status', 'Age']));
    expect(definition.spec.names.categories).toEqual(['millrace']);
  });
});
