/**
 * Looks for objects that sandboxed code of two executions could both get hold of and change. It calls what there is to call,
 * well and badly, follows every property, getter and prototype of what comes back, twice, and compares by identity.
 */
import process from 'node:process';
import { asCopies, asTheyAre } from '../exposed-items.ts';
import { enter } from '../current-view.ts';
import { CODE_ROOTS, CodeScope } from '../code-scope.ts';
import { CodeFiles } from '../code-files.ts';
import { CodeTimers } from '../code-timers.ts';
import { ExpressionScope, ROOTS } from '../expression-scope.ts';
import { createRealm } from '../realm.ts';
import { fakeView } from '../testing/fake-view.ts';

const MAX_DEPTH = 6;
const realm = createRealm();

/** Arguments that make functions give something, or throw something. New ones each time. */
const ARGUMENTS = (): readonly (readonly unknown[])[] => [[], [0], ['x'], ['In'], ['Nobody'], ['luxon'], ['crypto'], ['md5'], ['x', 'no such'], [-1], [[1]], [{}], [null], [undefined, {}], ['2024-01-01'], [Number.NaN]];

/** Follows everything that one execution can get at. */
class Explorer {
  /** Every object and function that can be changed, with the way to it. */
  readonly changeable = new Map<object, string>();
  readonly seen = new Set<object>();
  readonly #open: { object: object; path: string; depth: number }[] = [];

  attempt(run: () => unknown, path: string, depth: number): void {
    try {
      this.add(run(), path, depth);
    } catch (error) {
      this.add(error, `${path} threw`, depth);
    }
  }

  add(value: unknown, path: string, depth: number): void {
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (!isObject || this.seen.has(value) || depth > MAX_DEPTH) return;
    this.seen.add(value);
    this.#open.push({ object: value, path, depth });
  }

  follow(): void {
    for (let next = this.#open.pop(); next; next = this.#open.pop()) this.#look(next.object, next.path, next.depth);
  }

  #look(object: object, path: string, depth: number): void {
    if (!Object.isFrozen(object)) this.changeable.set(object, path);
    this.add(Object.getPrototypeOf(object), `${path}.__proto__`, depth + 1);
    if (typeof object === 'function' && depth < 2) this.#call(object, undefined, { path, depth });
    for (const key of Reflect.ownKeys(object)) {
      const { value, get } = Reflect.getOwnPropertyDescriptor(object, key) ?? {};
      const where = `${path}.${String(key)}`;
      this.add(value, where, depth + 1);
      this.add(get, `${where} (getter)`, depth + 1);
      if (get) this.attempt(() => Reflect.apply(get, object, []) as unknown, where, depth + 1);
      if (typeof value === 'function' && depth < 3) this.#call(value, object, { path: where, depth });
    }
  }

  #call(member: unknown, self: unknown, at: { path: string; depth: number }): void {
    for (const args of ARGUMENTS()) {
      const types = args.map((each) => typeof each).join();
      this.attempt(() => Reflect.apply(member as () => unknown, self, args), `${at.path}(${types})`, at.depth + 1);
      if (!Function.prototype.toString.call(member).startsWith('class ')) continue;
      this.attempt(() => Reflect.construct(member as new () => object, args), `${at.path} new(${types})`, at.depth + 1);
    }
  }
}

function explore(): Explorer {
  const explorer = new Explorer();
  const view = fakeView({ items: [{ json: { a: 1, l: [1], o: {} } }] });
  enter(view);
  const tools = { luxon: realm.luxon, evaluate: () => undefined };
  const timers = new CodeTimers(() => undefined);
  const files = new CodeFiles(view, undefined);
  const reading = new ExpressionScope(view, 0, { ...tools, exposure: asTheyAre });
  const code = new CodeScope(view, 0, { ...tools, exposure: asCopies }, { files, timers, print: () => undefined, globals: realm.codeGlobals });
  for (const name of ROOTS) explorer.attempt(() => Reflect.get(reading, name), name, 0);
  for (const name of [...CODE_ROOTS, 'self']) explorer.attempt(() => Reflect.get(code, name), name, 0);
  for (const [name, value] of Object.entries({ ...realm.codeGlobals, ...realm.expressionGlobals })) explorer.add(value, name, 0);
  explorer.attempt(() => realm.evaluate('(async function* () {})()'), 'async generator', 0);
  explorer.attempt(() => realm.evaluate('null.x'), 'error of the engine', 0);
  explorer.follow();
  timers.close();
  return explorer;
}

const first = explore();
const second = explore();
const shared = [...first.changeable].filter(([object]) => second.changeable.has(object)).map(([, path]) => path);
process.stdout.write(JSON.stringify({ visited: first.seen.size, changeable: first.changeable.size, shared }), () => process.exit(0));
