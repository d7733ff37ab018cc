import { WorkflowError } from '../engine/error.ts';
import type { ExecutionView } from '../engine/execution-view.ts';
import { compileExpression, type ExpressionNames } from '../engine/expression/compile-expression.ts';
import { methodCaller, type MethodCaller } from '../engine/expression/methods/call-method.ts';
import { makeMethods, methodNames } from '../engine/expression/methods/method-table.ts';
import { SourceSyntaxError } from '../engine/expression/parse-expression.ts';
import { isSingleExpression, parseTemplate } from '../engine/expression/template.ts';
import { textOf } from '../engine/expression/text-of.ts';
import type { JsonObject } from '../engine/item.ts';
import type { WorkflowDefinition } from '../engine/workflow.ts';
import { andAfter, currentView, enter, leave } from './current-view.ts';
import { asCopies, asTheyAre } from './exposed-items.ts';
import { ExpressionScope, ROOTS, type ScopeTools } from './expression-scope.ts';
import { fault, faultOf, guarded, guardedFunction, isA } from './fault.ts';
import { GenerationCache } from './generation-cache.ts';
import { SOURCE_SCHEME } from './lockdown.ts';
import { NotPlainDataError, toPlain } from './plain-data.ts';
import type { Realm } from './realm.ts';

/** How many templates stay compiled, at least. */
const CACHED_TEMPLATES = 10_000;
/** How deep parameters may refer to each other through `$parameter`. */
const MAX_NESTING = 50;

type Evaluation = (scope: ExpressionScope) => unknown;
type Part = string | { run: Evaluation; writes: boolean };

interface Conversion {
  itemIndex: number;
  roots: JsonObject | undefined;
  convert: (value: unknown) => unknown;
}

interface Template {
  single: boolean;
  parts: Part[];
}

/** Compiles templates once and evaluates them in the realm. */
export class ExpressionEvaluator {
  readonly #realm: Realm;
  readonly #names: ExpressionNames;
  readonly #callMethod: MethodCaller;
  /** What the scopes of Code nodes need, too. */
  readonly tools: Omit<ScopeTools, 'exposure'>;
  readonly #reading: ScopeTools;
  readonly #writing: ScopeTools;
  readonly #templates = new GenerationCache<Template>(CACHED_TEMPLATES);
  #nesting = 0;
  #frozen: WorkflowDefinition['nodes'] | undefined;

  constructor(realm: Realm) {
    const { DateTime } = realm.luxon;
    const methods = harden(makeMethods({ DateTime, random: () => currentView().random() }));
    this.#realm = realm;
    this.#names = { roots: ROOTS, constants: new Set(Object.keys(realm.expressionGlobals)), methods: methodNames(methods) };
    const callMethod = methodCaller(methods, DateTime.isDateTime);
    this.#callMethod = Object.freeze((self: unknown, name: string, optional?: boolean) => {
      const call = guarded(() => callMethod(self, name, optional));
      return call && guardedFunction(call);
    });
    this.tools = { luxon: realm.luxon, evaluate: (template, view, itemIndex) => this.#nested(template, view, itemIndex) };
    this.#reading = { ...this.tools, exposure: asTheyAre };
    this.#writing = { ...this.tools, exposure: asCopies };
  }

  /** See Sandbox.evaluate. */
  evaluate(text: string, view: ExecutionView, itemIndex: number, roots?: JsonObject): unknown {
    if (view.workflow.nodes !== this.#frozen) this.#freeze(view.workflow.nodes);
    const template = this.#templates.get(text) ?? this.#compile(text);
    const [first] = template.parts;
    if (template.single && typeof first === 'object') return this.#run(first, view, { itemIndex, roots, convert: toValue });
    let result = '';
    for (const part of template.parts) result += typeof part === 'string' ? part : toText(this.#run(part, view, { itemIndex, roots, convert: toText }));
    return result;
  }

  /** Values of parameters become parts of items, but belong to all executions of the workflow. */
  #freeze(nodes: WorkflowDefinition['nodes']): void {
    for (const { parameters } of nodes) harden(parameters);
    this.#frozen = nodes;
  }

  #compile(text: string): Template {
    const segments = parseTemplate(text);
    const parts = segments.map((segment): Part => (segment.kind === 'text' ? segment.text : this.#compileCode(segment.code, segment.offset)));
    const template = { single: isSingleExpression(segments), parts };
    this.#templates.set(text, template);
    return template;
  }

  #compileCode(code: string, offset: number): Part {
    try {
      const compiled = compileExpression(code, this.#names);
      if (!compiled) return { run: () => undefined, writes: false };
      const make = this.#realm.evaluate(`${compiled.source}\n//# sourceURL=${SOURCE_SCHEME}expression`) as (...globals: unknown[]) => Evaluation;
      const globals = compiled.constants.map((name) => this.#realm.expressionGlobals[name]);
      return { run: make(this.#callMethod, ...globals), writes: compiled.writes };
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof SourceSyntaxError)) throw error;
      const where = error instanceof SourceSyntaxError ? ` at character ${offset + error.position + 1}` : '';
      throw new WorkflowError('ExpressionSyntax', `The expression {{${shorten(code)}}} has a syntax error: ${error.message}${where}.`, { nonRetryable: true });
    }
  }

  #run(part: Exclude<Part, string>, view: ExecutionView, how: Conversion): unknown {
    const before = enter(view);
    try {
      if (!part.writes) return how.convert(part.run(new ExpressionScope(view, how.itemIndex, this.#reading, how.roots)));
      // What may write may also leave promises behind, whose rejections must be recognised.
      return andAfter(view, () => how.convert(part.run(new ExpressionScope(view, how.itemIndex, this.#writing, how.roots))));
    } catch (error) {
      return swallowed(error);
    } finally {
      leave(before);
    }
  }

  #nested(template: string, view: ExecutionView, itemIndex: number): unknown {
    if (this.#nesting >= MAX_NESTING) throw new WorkflowError('ExpressionFailed', 'Parameters refer to each other in a circle through $parameter.', { nonRetryable: true });
    this.#nesting += 1;
    try {
      return guarded(() => this.evaluate(template, view, itemIndex));
    } finally {
      this.#nesting -= 1;
    }
  }
}

/**
 * As in n8n, only our own errors, those of data-transformation methods among them, fail a node; anything else that an
 * expression throws makes it undefined.
 */
function swallowed(error: unknown): undefined {
  const known = faultOf(error);
  if (known) throw new WorkflowError(known.code, known.message, known.details);
  if (isA(error, NotPlainDataError)) throw new WorkflowError('ExpressionFailed', error.message);
  return undefined;
}

function toValue(value: unknown): unknown {
  refuseFunction(value);
  return toPlain(value);
}

/** Between other text nothing is shown for null and undefined. */
function toText(value: unknown): string {
  refuseFunction(value);
  return value === undefined || value === null ? '' : textOf(value);
}

/** Somebody forgot the parentheses. */
function refuseFunction(value: unknown): void {
  if (typeof value === 'function') throw fault('ExpressionFailed', 'The expression gives a function. Add () to call it.');
}

function shorten(code: string): string {
  return code.length > 80 ? `${code.slice(0, 80)}…` : code;
}
