import { WorkflowError } from '../../engine/error.ts';
import type { ExecutionView } from '../../engine/execution-view.ts';
import { textOf } from '../../engine/expression/text-of.ts';
import { CodeFiles } from '../code-files.ts';
import { andAfter } from '../current-view.ts';
import { asOwnCopies } from '../exposed-items.ts';
import { ExpressionScope, type ScopeTools } from '../expression-scope.ts';
import type { CodeRequest } from '../sandbox.ts';
import { createPythonContext, loadPythonParts, type PythonContext, type PythonParts } from './context.ts';

/** Longer messages are cut. */
const MAX_MESSAGE = 10_000;
/** Roots that make sense as data: `$json` is `_json`. */
const ROOTS = ['$json', '$itemIndex', '$runIndex', '$workflow', '$vars', '$prevNode', '$nodeVersion', '$now', '$today'] as const;

/** Gives the memory that `createPythonContext` has after its start. */
export type SnapshotSource = () => Promise<Uint8Array>;

/** What came of a run. The code can change what writes it, so nothing about it is certain before it is checked. */
interface Answer {
  value: unknown;
  error: { syntax: boolean; name: string; message: string; line: number | undefined } | undefined;
  printed: string;
}

/**
 * Runs Python of Code nodes in Pyodide, in a context of its own per node run. Nothing of Python is loaded before the first
 * run; that one takes seconds, each further one a third of a second.
 */
export class PythonRunner {
  readonly #tools: Omit<ScopeTools, 'exposure'>;
  readonly #contexts = new WeakMap<ExecutionView, Promise<PythonContext>>();
  readonly #snapshot: SnapshotSource | undefined;
  #base: Promise<{ parts: PythonParts; snapshot: Uint8Array }> | undefined;

  /** `snapshot`: an interpreter's memory from elsewhere; without it the first run starts one, which takes seconds. */
  constructor(tools: Omit<ScopeTools, 'exposure'>, snapshot?: SnapshotSource) {
    this.#tools = tools;
    this.#snapshot = snapshot;
  }

  /** See Sandbox.runCode. */
  async run(request: CodeRequest, view: ExecutionView): Promise<unknown> {
    // In each-item mode all items of a node run share an interpreter.
    const starting = this.#contexts.get(view) ?? this.#start();
    this.#contexts.set(view, starting);
    const context = await starting;
    request.signal?.throwIfAborted();
    const files = new CodeFiles(view, request.binaries);
    const text = this.#requestText(request, view, files);
    const answer = andAfter(view, () => answerOf(context, view, text));
    for (const line of answer.printed.split('\n').slice(0, -1)) request.onConsole('log', line);
    if (answer.error) throw explain(answer.error);
    return files.restore(answer.value);
  }

  async #start(): Promise<PythonContext> {
    this.#base ??= prepare(this.#snapshot);
    const base = this.#base;
    base.catch(() => { if (this.#base === base) this.#base = undefined; });
    const { parts, snapshot } = await base;
    return createPythonContext(parts, snapshot);
  }

  #requestText({ source, itemIndex }: CodeRequest, view: ExecutionView, files: CodeFiles): string {
    const exposure = asOwnCopies((reference) => files.add(reference));
    const scope = new ExpressionScope(view, itemIndex, { ...this.#tools, exposure });
    const roots = Object.fromEntries(ROOTS.map((name) => [name.slice(1), scope[name] ?? null]));
    const items = view.input(0);
    return JSON.stringify({ source, seed: view.random(), items: exposure.items(items), item: exposure.item(items[itemIndex]) ?? null, roots });
  }
}

/** The interpreter's memory after it has started, so that the others need not start again. */
async function prepare(source?: SnapshotSource): Promise<{ parts: PythonParts; snapshot: Uint8Array }> {
  const parts = await loadPythonParts();
  if (source) return { parts, snapshot: await source() };
  const context = await createPythonContext(parts);
  // Copied out of its context, which then goes.
  return { parts, snapshot: new Uint8Array(context.memory()) };
}

/** Throws WorkflowError CodeFailed for whatever comes out of the context but an answer, errors of its JavaScript included. */
function answerOf(context: PythonContext, view: ExecutionView, request: string): Answer {
  try {
    context.start(view.now(), view.random());
    return readAnswer(context.run(request));
  } catch {
    throw new WorkflowError('CodeFailed', 'The Python interpreter broke down. The code may need too much memory, or use what is not available here.');
  }
}

function readAnswer(text: unknown): Answer {
  if (typeof text !== 'string') throw new TypeError('The answer is no text');
  const { json, error, printed } = JSON.parse(text) as Partial<Record<string, unknown>>;
  return {
    value: typeof json === 'string' ? (JSON.parse(json) as unknown) : undefined,
    error: typeof error === 'object' && error !== null ? readError(error) : undefined,
    printed: textOf(printed),
  };
}

function readError({ syntax, name, message, line }: Partial<Record<string, unknown>>): Answer['error'] {
  return { syntax: syntax === true, name: textOf(name), message: textOf(message).slice(0, MAX_MESSAGE), line: typeof line === 'number' ? line : undefined };
}

function explain({ syntax, name, message, line }: NonNullable<Answer['error']>): WorkflowError {
  const text = line === undefined ? message : `${message} [line ${line}]`;
  return new WorkflowError(syntax ? 'CodeSyntax' : 'CodeFailed', text, syntax ? { nonRetryable: true } : { description: name });
}
