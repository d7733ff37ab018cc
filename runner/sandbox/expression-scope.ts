import type { ExecutionView } from '../engine/execution-view.ts';
import { textOf } from '../engine/expression/text-of.ts';
import type { JsonObject } from '../engine/item.ts';
import { MODE_NAMES } from '../engine/mode-name.ts';
import { ExecutionMode } from '../engine/node-run.ts';
import { currentZone } from './current-view.ts';
import { asCopies, type ItemExposure } from './exposed-items.ts';
import { fault, guarded } from './fault.ts';
import { inputData, legacyNodeData, nodeData, outputItems, type Vantage } from './node-data.ts';
import type { SafeLuxon } from './safe-luxon.ts';
import { searchJson } from './safe-modules.ts';

/** What a scope needs besides the execution it looks at. */
export interface ScopeTools {
  exposure: ItemExposure;
  luxon: SafeLuxon;
  /** Resolves a template found in another parameter. */
  evaluate(template: string, view: ExecutionView, itemIndex: number): unknown;
}

/**
 * The roots of one evaluation, read only when the expression gets there. Sandboxed code never holds the scope itself: names
 * in it are compiled to reads of these members.
 */
export class ExpressionScope implements Vantage {
  readonly view: ExecutionView;
  readonly itemIndex: number;
  readonly exposure: ItemExposure;
  readonly tools: ScopeTools;
  readonly #extra: JsonObject | undefined;
  #json: unknown;

  constructor(view: ExecutionView, itemIndex: number, tools: ScopeTools, extra?: JsonObject) {
    this.view = view;
    this.itemIndex = itemIndex;
    this.exposure = tools.exposure;
    this.tools = tools;
    this.#extra = extra;
  }

  get $json(): unknown {
    // Read again and again it must be the same object, also when it is a copy.
    this.#json ??= this.exposure.data(this.view.input(0)[this.itemIndex]?.json);
    return this.#json;
  }

  get $data(): unknown {
    return this.$json;
  }

  get $binary(): unknown {
    return (this.exposure.item(this.view.input(0)[this.itemIndex]) as { binary?: unknown } | undefined)?.binary ?? {};
  }

  get $input(): unknown {
    return inputData(this);
  }

  get $item(): unknown {
    return Object.freeze((index: unknown) => ({ $json: this.exposure.data(this.view.input(0)[Number(index)]?.json) }));
  }

  get $items(): unknown {
    return Object.freeze((name?: unknown, output?: unknown, run?: unknown) => {
      const items = name === undefined ? this.view.input(0) : guarded(() => outputItems(this.view, textOf(name), { output: output ?? 0, run }));
      return this.exposure.items(items);
    });
  }

  get $(): unknown {
    return Object.freeze((name: unknown) => nodeData(this, String(name)));
  }

  get $node(): unknown {
    return new Proxy(Object.freeze({}), { get: (_, name) => (typeof name === 'string' ? legacyNodeData(this, name) : undefined) });
  }

  get $itemIndex(): number {
    return this.itemIndex;
  }

  get $position(): number {
    return this.itemIndex;
  }

  get $runIndex(): number {
    return this.view.runIndex;
  }

  get $prevNode(): unknown {
    const source = this.view.source.find((each) => each !== null);
    return source ? { name: source.node, outputIndex: source.output, runIndex: source.run } : { name: undefined, outputIndex: undefined, runIndex: undefined };
  }

  get $now(): unknown {
    return this.tools.luxon.DateTime.fromMillis(this.view.now(), { zone: currentZone() });
  }

  get $today(): unknown {
    return this.tools.luxon.DateTime.fromMillis(this.view.now(), { zone: currentZone() }).startOf('day');
  }

  get $workflow(): unknown {
    const { id, name, active } = this.view.workflow;
    return { id, name, active: active ?? false };
  }

  get $execution(): unknown {
    const { executionId, mode, baseUrl, resumePath } = this.view;
    return Object.freeze({
      id: executionId,
      mode: mode === ExecutionMode.Manual ? 'test' : 'production',
      resumeUrl: `${baseUrl}/webhook-waiting/${resumePath}`,
      resumeFormUrl: `${baseUrl}/form-waiting/${resumePath}`,
      get customData(): never {
        throw fault('CustomDataUnavailable', '$execution.customData is not available. Put the values into the items, or into tags of the workflow.');
      },
    });
  }

  get $executionId(): string {
    return this.view.executionId;
  }

  get $mode(): unknown {
    return MODE_NAMES[this.view.mode];
  }

  get $vars(): unknown {
    return { ...this.view.variables };
  }

  get $parameter(): unknown {
    return this.#resolved(this.view.node.parameters ?? {});
  }

  get $nodeVersion(): number | undefined {
    return this.view.node.typeVersion;
  }

  get $version(): number | undefined {
    return this.view.node.typeVersion;
  }

  get $jmespath(): unknown {
    return searchJson;
  }

  get $jmesPath(): unknown {
    return searchJson;
  }

  get $if(): unknown {
    return chooseValue;
  }

  get $ifEmpty(): unknown {
    return valueIfEmpty;
  }

  get $min(): unknown {
    return Math.min;
  }

  get $max(): unknown {
    return Math.max;
  }

  get $fromAI(): unknown {
    return valueFromAi;
  }

  get $request(): unknown {
    return this.#given('$request');
  }

  get $response(): unknown {
    return this.#given('$response');
  }

  get $pageCount(): unknown {
    return this.#given('$pageCount');
  }

  get $secrets(): never {
    throw fault('SecretsUnavailable', '$secrets can be used in credentials only. Store the secret in a credential and select it in the node.');
  }

  get $env(): never {
    throw fault('EnvironmentUnavailable', 'Expressions cannot read environment variables. Use $vars, or a credential for secrets.');
  }

  /** A root that only some nodes give. */
  #given(name: string): unknown {
    return asCopies.data(this.#extra?.[name]);
  }

  /** Parameters with their expressions resolved when they are read. */
  #resolved(value: unknown): unknown {
    if (typeof value === 'string') return value.startsWith('=') ? this.tools.evaluate(value.slice(1), this.view, this.itemIndex) : value;
    if (typeof value !== 'object' || value === null) return value;
    const result: object = Array.isArray(value) ? [] : {};
    for (const [key, member] of Object.entries(value)) {
      Object.defineProperty(result, key, { enumerable: true, configurable: true, get: () => guarded(() => this.#resolved(member)) });
    }
    return result;
  }
}

// These are shared by all executions, hence frozen.
const chooseValue = Object.freeze((condition: unknown, yes: unknown, no: unknown): unknown => (condition ? yes : no));

const valueIfEmpty = Object.freeze((value: unknown, fallback: unknown): unknown => (isEmpty(value) ? fallback : value));

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && isPlain(value) && Object.keys(value).length === 0;
}

/** Dates have no keys, but are not empty. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const valueFromAi = Object.freeze((key: unknown, _description?: unknown, _type?: unknown, fallback?: unknown): unknown => {
  if (fallback === undefined) throw fault('NoModelHere', `$fromAI('${String(key)}') can be used in tools of an AI agent only. Give it a default value, or replace it.`);
  return fallback;
});

/** The names of the roots. */
export const ROOTS: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(ExpressionScope.prototype).filter((name) => name.startsWith('$')));
