import type { NodeContext } from '../engine/node-type.ts';
import { asText } from './json-value.ts';

/** Gives a parameter's value for one item. */
export type ValueOf = (itemIndex: number) => unknown;

const isTemplate = (value: unknown): value is string => typeof value === 'string' && value.startsWith('=');

/**
 * Prepares a parameter value as written (any depth) so that per item only its expressions are evaluated. What holds no
 * expression is handed out as it is, the same object each time: callers must not change it.
 */
export function prepareValue(context: NodeContext, raw: unknown): ValueOf {
  if (isTemplate(raw)) return (itemIndex) => context.evaluate(raw, itemIndex);
  if (typeof raw !== 'object' || raw === null || !holdsTemplate(raw)) return () => raw;
  if (Array.isArray(raw)) {
    const entries = raw.map((entry) => prepareValue(context, entry));
    return (itemIndex) => entries.map((entry) => entry(itemIndex));
  }
  const entries = Object.entries(raw).map(([key, entry]) => [key, prepareValue(context, entry)] as const);
  return (itemIndex) => Object.fromEntries(entries.map(([key, entry]) => [key, entry(itemIndex)]));
}

function holdsTemplate(value: unknown): boolean {
  if (isTemplate(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(holdsTemplate);
}

/** A parameter prepared once per run; `fallback` when it is absent. */
export function prepareParameter(context: NodeContext, path: string, fallback?: unknown): ValueOf {
  const prepared = prepareValue(context, context.rawParameter(path));
  return (itemIndex) => prepared(itemIndex) ?? fallback;
}

/** A parameter as text; numbers and booleans are written out, objects become JSON. */
export function textParameter(context: NodeContext, path: string, itemIndex: number, fallback = ''): string {
  return asText(context.parameter(path, itemIndex, fallback));
}

/** A parameter that is a switch: true only for `true` and `"true"`. */
export function flagParameter(context: NodeContext, path: string, itemIndex: number, fallback = false): boolean {
  const value = context.parameter(path, itemIndex, fallback);
  return value === true || value === 'true';
}

/** A finite number, or the fallback. */
export function numberParameter(context: NodeContext, path: string, itemIndex: number, fallback: number): number {
  const value = Number(context.parameter(path, itemIndex, fallback) ?? fallback);
  return Number.isFinite(value) ? value : fallback;
}
