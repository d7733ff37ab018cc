import { lockDown } from './lockdown.ts';
import { hardenNodeData } from './node-data.ts';
import { makeDate, makeFrozenRegExp, makeIntl, makeMath } from './safe-built-ins.ts';
import { SafeBuffer } from './safe-buffer.ts';
import { loadLuxon, type SafeLuxon } from './safe-luxon.ts';
import { makeRequire } from './safe-modules.ts';
import { SafeTextDecoder, SafeTextEncoder } from './safe-text-coding.ts';

/** Names of the built-ins that lockdown made safe to share. */
const SHARED = [
  'Array', 'ArrayBuffer', 'BigInt', 'BigInt64Array', 'BigUint64Array', 'Boolean', 'DataView', 'Error', 'EvalError', 'Float32Array', 'Float64Array',
  'Int16Array', 'Int32Array', 'Int8Array', 'Iterator', 'JSON', 'Map', 'Number', 'Object', 'RangeError', 'ReferenceError', 'RegExp', 'Set', 'String', 'Symbol',
  'SyntaxError', 'TypeError', 'URIError', 'Uint16Array', 'Uint32Array', 'Uint8Array', 'Uint8ClampedArray', 'WeakMap', 'WeakSet', 'AggregateError',
  'decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'escape', 'isFinite', 'isNaN', 'parseFloat', 'parseInt', 'unescape',
  'Infinity', 'NaN', 'undefined',
] as const;
/** More of them, for code that may take its time. */
const SHARED_WITH_CODE = ['Promise', 'Proxy', 'Reflect'] as const;

/** The frozen world that sandboxed code lives in. One per process. */
export interface Realm {
  /** Evaluates a source text to a value in that world. */
  evaluate(source: string): unknown;
  luxon: SafeLuxon;
  /** Globals of expressions. */
  expressionGlobals: Readonly<Record<string, unknown>>;
  /** Globals of Code nodes. */
  codeGlobals: Readonly<Record<string, unknown>>;
}

export function createRealm(): Realm {
  lockDown();
  const compartment = new Compartment();
  const shared = pick(compartment.globalThis, SHARED);
  const Date = makeDate();
  const own = { Date, Math: makeMath(), Intl: makeIntl(), TextDecoder: SafeTextDecoder, TextEncoder: SafeTextEncoder };
  const luxon = loadLuxon(compartment, harden({ ...shared, ...own, RegExp: makeFrozenRegExp(shared.RegExp as RegExpConstructor) }));
  const { DateTime, Duration, Interval } = luxon;
  const expressionGlobals = harden({ ...shared, ...own, DateTime, Duration, Interval });
  const codeGlobals = harden({
    ...expressionGlobals,
    ...pick(compartment.globalThis, SHARED_WITH_CODE),
    // The real constructor of functions is out of reach; this one only serves `instanceof`.
    Function: Object.getPrototypeOf(() => {}).constructor as unknown,
    Buffer: SafeBuffer,
    atob: (text: unknown) => SafeBuffer.from(String(text), 'base64').toString('latin1'),
    btoa: (text: unknown) => SafeBuffer.from(String(text), 'latin1').toString('base64'),
    require: makeRequire(luxon),
  });
  hardenNodeData();
  emptyGlobal(compartment.globalThis);
  return { evaluate: (source) => compartment.evaluate(source) as unknown, luxon, expressionGlobals, codeGlobals };
}

/** What sandboxed code gets it gets by name from us; the global object of its world stays empty and frozen. */
function emptyGlobal(globals: object): void {
  for (const key of Reflect.ownKeys(globals)) Reflect.deleteProperty(globals, key);
  harden(globals);
}

function pick(globals: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(globals, name) as unknown]));
}
