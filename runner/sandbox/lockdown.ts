import 'ses';
import { textOf } from '../engine/expression/text-of.ts';

/** Source names of sandboxed code; they mark its frames in stack traces. */
export const SOURCE_SCHEME = 'millrace:';

let locked = false;

/**
 * Freezes this process's built-ins, so that no code in it can change them any more and none can reach the real function
 * constructors. It concerns the whole process and cannot be undone; calling it again does nothing.
 */
export function lockDown(): void {
  if (locked) return;
  // Every option is set, because lockdown() would otherwise read LOCKDOWN_* from the environment.
  lockdown({
    // Sandboxed code may read `stack`; what it finds there is up to `describeStack`.
    errorTaming: 'unsafe',
    stackFiltering: 'verbose',
    errorTrapping: 'none',
    unhandledRejectionTrapping: 'none',
    reporting: 'none',
    consoleTaming: 'unsafe',
    regExpTaming: 'safe',
    // toLocaleString and friends are part of what people use.
    localeTaming: 'unsafe',
    // Data has keys such as `constructor`: assigning them must work although Object.prototype is frozen.
    overrideTaming: 'severe',
    overrideDebug: [],
    domainTaming: 'safe',
    evalTaming: 'safe-eval',
    legacyRegeneratorRuntimeTaming: 'safe',
    __hardenTaming__: 'safe',
  });
  Error.prepareStackTrace = describeStack;
  locked = true;
}

/** Where sandboxed code is on the stack, only its own frames are shown: paths of the host are not its business. */
function describeStack(error: Error, frames: readonly NodeJS.CallSite[]): string {
  const own = frames.filter((frame) => frame.getScriptNameOrSourceURL()?.startsWith(SOURCE_SCHEME));
  const lines = own.length > 0 ? own.map(describeOwnFrame) : frames.map(textOf);
  return `${headline(error)}${lines.map((line) => `\n    at ${line}`).join('')}`;
}

function describeOwnFrame(frame: NodeJS.CallSite): string {
  const where = `${frame.getScriptNameOrSourceURL()}:${frame.getLineNumber()}:${frame.getColumnNumber()}`;
  const name = frame.getFunctionName();
  return name === null || name === '' ? where : `${name} (${where})`;
}

function headline(error: Error): string {
  try {
    return textOf(error);
  } catch {
    return 'Error';
  }
}
