import type { ExecutionView } from '../engine/execution-view.ts';
import { textOf } from '../engine/expression/text-of.ts';
import type { JsonObject } from '../engine/item.ts';
import { makeConsole } from './code-console.ts';
import type { CodeFiles } from './code-files.ts';
import type { CodeTimers } from './code-timers.ts';
import { ExpressionScope, ROOTS, type ScopeTools } from './expression-scope.ts';
import { guarded } from './fault.ts';
import { setOwn, toPlain } from './plain-data.ts';
import type { CodeRequest } from './sandbox.ts';

/** What one run of a Code node has besides the roots of expressions. */
export interface CodeFacilities {
  files: CodeFiles;
  timers: CodeTimers;
  print: CodeRequest['onConsole'];
  globals: Readonly<Record<string, unknown>>;
}

/** The roots of one run of a Code node. */
export class CodeScope extends ExpressionScope {
  readonly #facilities: CodeFacilities;
  readonly #staticData = new Map<'global' | 'node', JsonObject>();

  constructor(view: ExecutionView, itemIndex: number, tools: ScopeTools, facilities: CodeFacilities) {
    super(view, itemIndex, tools);
    this.#facilities = facilities;
  }

  override get $json(): unknown {
    return (this.item as { json?: unknown } | undefined)?.json;
  }

  get items(): unknown {
    return this.exposure.items(this.view.input(0));
  }

  get item(): unknown {
    return this.exposure.item(this.view.input(0)[this.itemIndex]);
  }

  get $getWorkflowStaticData(): unknown {
    return Object.freeze((scope: unknown) => guarded(() => this.#staticDataOf(scope === 'node' ? 'node' : 'global')));
  }

  /** Evaluates a template, for one item. n8n has dropped it; older code uses it. */
  get $evaluateExpression(): unknown {
    return Object.freeze((template: unknown, index: unknown = this.itemIndex) =>
      guarded(() => this.tools.evaluate(textOf(template).replace(/^=/, ''), this.view, Number(index))),
    );
  }

  get getWorkflowStaticData(): unknown {
    return this.$getWorkflowStaticData;
  }

  get console(): unknown {
    return makeConsole(this.#facilities.print);
  }

  get setTimeout(): unknown {
    return this.#startTimer(false);
  }

  get setInterval(): unknown {
    return this.#startTimer(true);
  }

  get setImmediate(): unknown {
    return Object.freeze((callback: unknown, ...args: unknown[]) => this.#facilities.timers.start(callback, 0, { repeat: false, args }));
  }

  get clearTimeout(): unknown {
    return Object.freeze((id: unknown) => this.#facilities.timers.stop(id));
  }

  get clearInterval(): unknown {
    return this.clearTimeout;
  }

  get clearImmediate(): unknown {
    return this.clearTimeout;
  }

  /** An object of this run alone: what is stored in it ends with the run. */
  get globalThis(): unknown {
    return { ...this.#facilities.globals, console: this.console, setTimeout: this.setTimeout, clearTimeout: this.clearTimeout };
  }

  get global(): unknown {
    return this.globalThis;
  }

  /** `this` of the source. */
  get self(): unknown {
    return Object.freeze({ helpers: this.#facilities.files.helpers(), getWorkflowStaticData: this.$getWorkflowStaticData });
  }

  /** Takes over what the source changed in static data. */
  saveStaticData(): void {
    for (const [scope, changed] of this.#staticData) {
      const next = toPlain(changed) as JsonObject;
      const stored = this.view.staticData(scope);
      for (const key of Object.keys(stored)) if (!Object.hasOwn(next, key)) Reflect.deleteProperty(stored, key);
      for (const [key, value] of Object.entries(next)) if (!Object.hasOwn(stored, key) || JSON.stringify(value) !== JSON.stringify(stored[key])) setOwn(stored, key, value);
    }
  }

  #staticDataOf(scope: 'global' | 'node'): JsonObject {
    const data = this.#staticData.get(scope) ?? (toPlain(this.view.staticData(scope)) as JsonObject);
    this.#staticData.set(scope, data);
    return data;
  }

  #startTimer(repeat: boolean): unknown {
    return Object.freeze((callback: unknown, ms: unknown, ...args: unknown[]) => this.#facilities.timers.start(callback, ms, { repeat, args }));
  }
}

const INTERNAL = new Set(['constructor', 'self', 'saveStaticData']);

/** The names of the roots of Code nodes. */
export const CODE_ROOTS: ReadonlySet<string> = new Set([...ROOTS, ...Object.getOwnPropertyNames(CodeScope.prototype)].filter((name) => !INTERNAL.has(name)));
