import type { ExecutionView } from '../engine/execution-view.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { CurrentWork } from './current-work.ts';

/** The same sandbox, which notes whose code it runs before it runs it, so that a stuck executor can be explained. */
export function tracedSandbox(sandbox: Sandbox, write: (work: CurrentWork) => void): Sandbox {
  let last: ExecutionView | undefined;
  const note = (view: ExecutionView): void => {
    if (view === last) return;
    last = view;
    write({ executionId: view.executionId, node: view.node.name });
  };
  return {
    evaluate: (template, view, itemIndex, roots) => {
      note(view);
      return sandbox.evaluate(template, view, itemIndex, roots);
    },
    check: (template) => sandbox.check(template),
    runCode: (request, view) => {
      note(view);
      return sandbox.runCode(request, view);
    },
  };
}
