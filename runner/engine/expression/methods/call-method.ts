import type { DateTime } from 'luxon';
import { MethodError } from './method-error.ts';
import type { Method, MethodTable, TypeName } from './method-table.ts';

/** Finds what `self.name(…)` calls; `optional` is set in an optional chain. */
export type MethodCaller = (self: unknown, name: string, optional?: boolean) => ((...args: unknown[]) => unknown) | undefined;

type IsDateTime = (value: unknown) => value is DateTime;

/**
 * What compiled expressions call instead of `self.name(…)`: the value's own method when it has one, else the
 * data-transformation method for its type. Dates prefer ours: `plus(2, 'days')` means something else to luxon.
 */
export function methodCaller(table: MethodTable, isDateTime: IsDateTime): MethodCaller {
  return (self, name, optional = false) => {
    if (self === undefined || self === null) return onNothing(name, optional);
    const type = typeOf(self, isDateTime);
    const method = Object.hasOwn(table[type], name) ? table[type][name] : undefined;
    const own: unknown = type === 'Date' && method ? undefined : (self as Record<string, unknown>)[name];
    if (typeof own === 'function') return (...args) => Reflect.apply(own, self, args) as unknown;
    if (!method) return notCallable(table, name);
    return (...args) => Reflect.apply(method as (...all: unknown[]) => unknown, undefined, [self, ...args]);
  };
}

function onNothing(name: string, optional: boolean): ((...args: unknown[]) => unknown) | undefined {
  if (optional) return undefined;
  if (name === 'isEmpty') return () => true;
  if (name === 'isNotEmpty') return () => false;
  throw new TypeError(`Cannot call ${name}() on nothing`);
}

function notCallable(table: MethodTable, name: string): never {
  const types = Object.entries(table).filter(([, methods]: [string, Readonly<Record<string, Method>>]) => Object.hasOwn(methods, name));
  throw new MethodError(`${name}() is only callable on type ${types.map(([type]) => `"${type}"`).join(', ')}`);
}

function typeOf(value: unknown, isDateTime: IsDateTime): TypeName {
  switch (typeof value) {
    case 'string':
      return 'String';
    case 'number':
    case 'bigint':
      return 'Number';
    case 'boolean':
      return 'Boolean';
    default:
      if (Array.isArray(value)) return 'Array';
      return isDateTime(value) || value instanceof Date ? 'Date' : 'Object';
  }
}
