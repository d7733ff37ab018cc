import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Luxon from 'luxon';
import { currentZone } from './current-view.ts';

/** What sandboxed code gets of luxon: everything but Settings, which would change it for others. */
export type SafeLuxon = Pick<typeof Luxon, 'DateTime' | 'Duration' | 'Interval' | 'Info' | 'Zone' | 'IANAZone' | 'FixedOffsetZone' | 'InvalidZone' | 'SystemZone' | 'VERSION'>;

type Exports = typeof Luxon & { Settings: object };

const NAMES = ['DateTime', 'Duration', 'Interval', 'Info', 'Zone', 'IANAZone', 'FixedOffsetZone', 'InvalidZone', 'SystemZone', 'VERSION'] as const;
/** Objects and classes at the top of the module, error classes among them: sandboxed code gets at them sooner or later. */
const MODULE_CONSTANT = /^(?:const (\w+) = [{[]|class (\w+))/gm;

/**
 * A copy of luxon of its own for sandboxed code: on the sandbox's Date and Intl, its default zone that of the workflow, and
 * with everything frozen that its objects share. luxon keeps state where freezing its exports does not reach, hence the care.
 */
export function loadLuxon(compartment: Compartment, globals: Readonly<Record<string, unknown>>): SafeLuxon {
  const path = createRequire(import.meta.url).resolve('luxon');
  const source = readFileSync(path, 'utf8');
  const shared = [...source.matchAll(MODULE_CONSTANT)].map(([, constant, className]) => constant ?? className);
  // As parameters the globals are fast to reach; the evaluator's own lookup is slow.
  const parameters = ['exports', ...Object.keys(globals)].join(', ');
  const load = compartment.evaluate(`(${parameters}) => {${source}\nreturn [${shared.join(', ')}];\n}`) as (...args: unknown[]) => unknown[];
  const luxon = {} as Exports;
  const internals = load(luxon, ...Object.values(globals));
  freezeSharedState(luxon);
  harden(internals);
  const safe = Object.fromEntries<unknown>(NAMES.map((name) => [name, luxon[name]])) as unknown as SafeLuxon;
  return harden(safe);
}

function freezeSharedState({ DateTime, Duration, IANAZone, FixedOffsetZone, SystemZone, Settings, Info }: Exports): void {
  // Zones are kept by name and handed out again.
  const create = IANAZone.create.bind(IANAZone);
  IANAZone.create = (name) => Object.freeze(create(name));
  const { utcInstance } = FixedOffsetZone;
  harden([SystemZone.instance, utcInstance]);
  Object.defineProperty(Settings, 'defaultZone', { get: () => (/^(?:utc|gmt)$/i.test(currentZone()) ? utcInstance : IANAZone.create(currentZone())) });
  // Week settings are kept by locale.
  const sample = DateTime.fromMillis(0, { zone: 'utc' });
  const { prototype } = (sample as unknown as { loc: { constructor: { prototype: LocalePrototype } } }).loc.constructor;
  const weekSettings = prototype.getWeekSettings;
  prototype.getWeekSettings = function (this: unknown): object {
    return harden({ ...Reflect.apply<unknown, [], object>(weekSettings, this, []) });
  };
  // Everything else that is reachable from objects: classes, prototypes, conversion tables.
  harden([sample, Duration.fromMillis(1), Duration.fromMillis(1, { conversionAccuracy: 'longterm' }), sample.until(sample), Info, Settings]);
  harden(Object.values(Object.getOwnPropertyDescriptors(DateTime)).map(({ get }) => (get ? (Reflect.apply(get, DateTime, []) as unknown) : undefined)));
}

interface LocalePrototype {
  getWeekSettings(): object;
}
