import { WorkflowError } from '../engine/error.ts';
import type { ExecutionView } from '../engine/execution-view.ts';
import { SourceSyntaxError } from '../engine/expression/parse-expression.ts';
import { textOf } from '../engine/expression/text-of.ts';
import { CODE_ROOTS, CodeScope } from './code-scope.ts';
import { show } from './code-console.ts';
import { CodeFiles } from './code-files.ts';
import { CodeTimers } from './code-timers.ts';
import { compileCode } from './compile-code.ts';
import { andAfter } from './current-view.ts';
import { asOwnCopies, type ItemExposure } from './exposed-items.ts';
import type { ScopeTools } from './expression-scope.ts';
import { faultOf, isA } from './fault.ts';
import { GenerationCache } from './generation-cache.ts';
import { SOURCE_SCHEME } from './lockdown.ts';
import { NotPlainDataError, toPlain } from './plain-data.ts';
import type { Realm } from './realm.ts';
import type { CodeRequest } from './sandbox.ts';

const CACHED_SOURCES = 500;
/** Longer messages of what sandboxed code throws are cut. */
const MAX_MESSAGE = 10_000;
const SOURCE_NAME = `${SOURCE_SCHEME}code`;

type Program = (scope: CodeScope) => Promise<unknown>;

/** Compiles and runs JavaScript of Code nodes in the realm. */
export class CodeRunner {
  readonly #realm: Realm;
  readonly #tools: Omit<ScopeTools, 'exposure'>;
  readonly #names: { roots: ReadonlySet<string>; constants: ReadonlySet<string> };
  readonly #programs = new GenerationCache<Program>(CACHED_SOURCES);
  /** What a node run has been shown: in each-item mode all items of a run share it. */
  readonly #shown = new WeakMap<ExecutionView, { exposure: ItemExposure; files: CodeFiles }>();

  constructor(realm: Realm, tools: Omit<ScopeTools, 'exposure'>) {
    this.#realm = realm;
    this.#tools = tools;
    this.#names = { roots: CODE_ROOTS, constants: new Set(Object.keys(realm.codeGlobals).filter((name) => !CODE_ROOTS.has(name))) };
  }

  /** See Sandbox.runCode. */
  async run(request: CodeRequest, view: ExecutionView): Promise<unknown> {
    const program = this.#programs.get(request.source) ?? this.#compile(request.source);
    const { exposure, files } = this.#shown.get(view) ?? this.#show(view, request);
    const { promise: failed, reject: fail } = Promise.withResolvers<never>();
    const timers = new CodeTimers(fail);
    const scope = new CodeScope(view, request.itemIndex, { ...this.#tools, exposure }, { files, timers, print: request.onConsole, globals: this.#realm.codeGlobals });
    const abort = (): void => fail(request.signal?.reason);
    request.signal?.addEventListener('abort', abort);
    try {
      // All of it inside: copying data out may run getters of the source.
      return await andAfter(view, async () => {
        try {
          return files.restore(toPlain(await Promise.race([program(scope), failed])));
        } finally {
          timers.close();
          scope.saveStaticData();
        }
      });
    } catch (error) {
      throw request.signal?.aborted && error === request.signal.reason ? error : explain(error);
    } finally {
      request.signal?.removeEventListener('abort', abort);
    }
  }

  #show(view: ExecutionView, request: CodeRequest): { exposure: ItemExposure; files: CodeFiles } {
    const files = new CodeFiles(view, request.binaries);
    const shown = { exposure: asOwnCopies((reference) => files.add(reference)), files };
    this.#shown.set(view, shown);
    return shown;
  }

  #compile(source: string): Program {
    try {
      const compiled = compileCode(source, this.#names);
      const make = this.#realm.evaluate(`${compiled.source}\n//# sourceURL=${SOURCE_NAME}`) as (...globals: unknown[]) => Program;
      const program = make(missingName, ...compiled.constants.map((name) => this.#realm.codeGlobals[name]));
      this.#programs.set(source, program);
      return program;
    } catch (error) {
      if (error instanceof SourceSyntaxError) throw new WorkflowError('CodeSyntax', `${error.message} [line ${error.line}]`, { nonRetryable: true });
      if (error instanceof SyntaxError) throw new WorkflowError('CodeSyntax', error.message, { nonRetryable: true });
      throw error;
    }
  }
}

/** What reading a name that does not exist does. */
const missingName = Object.freeze((name: string): never => {
  throw new ReferenceError(`${name} is not defined`);
});

/** What failed, with the line of the source. Whatever sandboxed code throws must not get further than this. */
function explain(thrown: unknown): WorkflowError {
  if (isA(thrown, WorkflowError)) return thrown;
  if (isA(thrown, NotPlainDataError)) return new WorkflowError('CodeFailed', `The code returned something that is no data: ${thrown.message}.`);
  const known = faultOf(thrown);
  const { message, name, line } = describe(thrown);
  const text = line === undefined ? message : `${message} [line ${line}]`;
  if (known) return new WorkflowError(known.code, text, known.details);
  return new WorkflowError('CodeFailed', text, name === undefined || name === 'Error' ? {} : { description: name });
}

/** Reads an error of unknown make: its members may be getters that throw. */
function describe(thrown: unknown): { message: string; name: string | undefined; line: number | undefined } {
  try {
    if (!isA(thrown, Error)) return { message: show(thrown).slice(0, MAX_MESSAGE), name: undefined, line: undefined };
    const line = new RegExp(`${SOURCE_NAME}:(\\d+):`).exec(String(thrown.stack))?.[1];
    return { message: textOf(thrown.message).slice(0, MAX_MESSAGE), name: textOf(thrown.name).slice(0, MAX_MESSAGE), line: line === undefined ? undefined : Number(line) };
  } catch {
    return { message: 'The code threw something that cannot be read', name: undefined, line: undefined };
  }
}
