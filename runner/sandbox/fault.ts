import { WorkflowError } from '../engine/error.ts';
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

/** Runs host code on behalf of sandboxed code: a WorkflowError comes out as a fault. */
export function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof WorkflowError ? disguise(error) : error;
  }
}

function disguise(error: WorkflowError): Error {
  const visible = new Error(error.message);
  // Where no sandboxed code is on the stack, after a wait, it would show the host's.
  if (!visible.stack?.includes(SOURCE_SCHEME)) visible.stack = `Error: ${error.message}`;
  faults.set(visible, error);
  return visible;
}
