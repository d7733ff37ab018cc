import { WorkflowError } from '../engine/error.ts';
import { MethodError } from '../engine/expression/methods/method-error.ts';
import { SOURCE_SCHEME } from './lockdown.ts';

/** The errors that host functions have thrown into sandboxed code, with what they stand for. */
const faults = new WeakMap<object, WorkflowError>();

/**
 * An error that sandboxed code may catch and look at. It is a plain Error: a WorkflowError would hand out its class, and
 * with it the way to forge the engine's error codes.
 */
export function fault(code: string, message: string): Error {
  return disguise(new WorkflowError(code, message));
}

/** The workflow error a caught value stands for; undefined for what sandboxed code threw itself. */
export function faultOf(thrown: unknown): WorkflowError | undefined {
  return typeof thrown === 'object' && thrown !== null ? faults.get(thrown) : undefined;
}

/**
 * Runs host code on behalf of sandboxed code. Everything that host functions throw into the sandbox goes through here: our
 * own errors become faults, and errors of classes that lockdown does not know, such as Node's, become plain ones.
 */
export function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw harmless(error);
  }
}

/** The function with `guarded` around it. */
export function guardedFunction<A extends unknown[], T>(run: (...args: A) => T): (...args: A) => T {
  return (...args) => guarded(() => run(...args));
}

/** `instanceof` for what sandboxed code may have made: a proxy in the prototype chain could throw. */
export function isA<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

function harmless(error: unknown): unknown {
  if (isA(error, WorkflowError)) return disguise(error);
  if (isA(error, MethodError)) return fault('ExpressionFailed', error.message);
  if (!isA(error, Error) || Object.isFrozen(Object.getPrototypeOf(error))) return error;
  return withoutHostStack(new (error instanceof RangeError ? RangeError : TypeError)(error.message));
}

function disguise(error: WorkflowError): Error {
  const visible = withoutHostStack(new Error(error.message));
  faults.set(visible, error);
  return visible;
}

/** Where no sandboxed code is on the stack, as after a wait, the stack would show the host's. */
function withoutHostStack(error: Error): Error {
  if (!error.stack?.includes(SOURCE_SCHEME)) error.stack = `${error.name}: ${error.message}`;
  return error;
}
