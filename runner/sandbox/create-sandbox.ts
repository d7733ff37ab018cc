import { WorkflowError } from '../engine/error.ts';
import { checkTemplate } from '../engine/expression/syntax.ts';
import { CodeRunner } from './code-runner.ts';
import { ExpressionEvaluator } from './expression-evaluator.ts';
import { catchStrayRejections } from './stray-rejections.ts';
import { PythonRunner, type SnapshotSource } from './python/python-runner.ts';
import { createRealm } from './realm.ts';
import type { Sandbox } from './sandbox.ts';

let sandbox: Sandbox | undefined;

/**
 * The sandbox of this process. The first call freezes the process's built-ins for good (see lockdown.ts) and takes a few tens
 * of milliseconds; later calls give the same sandbox, which keeps nothing of one execution that another could reach.
 */
export function createSandbox(pythonSnapshot?: SnapshotSource): Sandbox {
  sandbox ??= build(pythonSnapshot);
  return sandbox;
}

function build(pythonSnapshot?: SnapshotSource): Sandbox {
  const realm = createRealm();
  const expressions = new ExpressionEvaluator(realm);
  const javaScript = new CodeRunner(realm, expressions.tools);
  const python = new PythonRunner(expressions.tools, pythonSnapshot);
  catchStrayRejections();
  return {
    evaluate: (template, view, itemIndex, roots) => expressions.evaluate(template, view, itemIndex, roots),
    check: checkTemplate,
    runCode: async (request, view) => {
      switch (request.language) {
        case 'javaScript':
          return javaScript.run(request, view);
        case 'python':
          return python.run(request, view);
        default:
          throw new WorkflowError('LanguageUnknown', 'Code nodes run JavaScript and Python.', { nonRetryable: true });
      }
    },
  };
}
