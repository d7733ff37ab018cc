import { currentView } from './current-view.ts';

/**
 * The few built-ins that lockdown leaves out or takes the power from, because they read the clock, make randomness or keep
 * shared state. These read the execution's recorded clock and randomness instead. All are to be hardened by the caller.
 */

const RealDate = Date;

/** `Date` with the execution's clock. */
export function makeDate(): DateConstructor {
  const SafeDate = function Date(...args: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(currentView().now()).toString();
    return Reflect.construct(RealDate, args.length === 0 ? [currentView().now()] : args, new.target);
  };
  const { length, prototype, parse, UTC } = RealDate;
  Object.defineProperties(SafeDate, {
    length: { value: length },
    prototype: { value: prototype, writable: false },
    parse: { value: parse },
    UTC: { value: UTC },
    now: { value: () => currentView().now() },
  });
  return SafeDate as unknown as DateConstructor;
}

/** `Math` with the execution's random numbers. */
export function makeMath(): Math {
  const random = { value: () => currentView().random() };
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(Math), random }) as Math;
}

/** `Intl` whose objects are frozen, because libraries keep and share them. The real classes are frozen, too. */
export function makeIntl(): typeof Intl {
  harden(Intl);
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(Object.getOwnPropertyDescriptors(Intl))) {
    const member: unknown = value.value;
    if (typeof member === 'function') safe[name] = /^[A-Z]/.test(name) ? frozenInstances(member as Constructor) : (...args: unknown[]) => Reflect.apply(member, Intl, args) as unknown;
  }
  return safe as unknown as typeof Intl;
}

type Constructor = (new (...args: unknown[]) => object) & { readonly prototype: object };

/**
 * `RegExp` for libraries that keep what they make and hand it out again. Global and sticky expressions have a position and
 * stay as they are: no library we load hands those out.
 */
export function makeFrozenRegExp(Real: RegExpConstructor): RegExpConstructor {
  const Frozen = function (pattern: string | RegExp, flags?: string): RegExp {
    const made = new Real(pattern, flags);
    return made.global || made.sticky ? made : Object.freeze(made);
  };
  return Object.defineProperty(Frozen, 'prototype', { value: Real.prototype, writable: false }) as unknown as RegExpConstructor;
}

function frozenInstances(Real: Constructor): unknown {
  const Frozen = function (...args: unknown[]): object {
    return Object.freeze(new Real(...args));
  };
  const statics = Object.getOwnPropertyDescriptors(Real) as Record<string, PropertyDescriptor>;
  return Object.defineProperties(Frozen, { ...statics, prototype: { value: Real.prototype, writable: false } });
}
