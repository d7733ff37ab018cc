import type * as Luxon from 'luxon';
import { arrayMethods } from './array-methods.ts';
import { booleanMethods } from './boolean-methods.ts';
import { dateMethods } from './date-methods.ts';
import { numberMethods } from './number-methods.ts';
import { objectMethods } from './object-methods.ts';
import { stringMethods } from './string-methods.ts';

/** What data-transformation methods need from outside. */
export interface MethodHost {
  DateTime: typeof Luxon.DateTime;
  /** 0 ≤ x < 1. */
  random(): number;
}

/** One data-transformation method; the value it is called on comes first. */
export type Method = (self: never, ...args: never[]) => unknown;
export type TypeName = 'String' | 'Number' | 'Boolean' | 'Array' | 'Object' | 'Date';
export type MethodTable = Readonly<Record<TypeName, Readonly<Record<string, Method>>>>;

export function makeMethods(host: MethodHost): MethodTable {
  return {
    String: stringMethods(host.DateTime),
    Number: numberMethods(host.DateTime),
    Boolean: booleanMethods,
    Array: arrayMethods(host.random),
    Object: objectMethods,
    Date: dateMethods(host.DateTime),
  };
}

/** All method names, whatever they are called on. */
export function methodNames(table: MethodTable): Set<string> {
  return new Set(Object.values(table).flatMap((methods) => Object.keys(methods)));
}
