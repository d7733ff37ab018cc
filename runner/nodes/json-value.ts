import type { JsonObject } from '../engine/item.ts';

/** An object that is not a list. */
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value, or an empty object: parameters are written by people. */
export const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {});

export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The objects of a list. */
export const asObjects = (value: unknown): JsonObject[] => asList(value).filter(isObject);

/** A value as text: missing is empty, objects become JSON. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return typeof value === 'object' && value !== null ? JSON.stringify(value) ?? '' : '';
}

/** The text, or undefined for anything else and for empty text. */
export const textOrNone = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
