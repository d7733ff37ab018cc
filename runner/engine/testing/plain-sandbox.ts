import { WorkflowError } from '../error.ts';
import type { ExecutionView } from '../execution-view.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';

/**
 * Enough of a sandbox to test the engine without the real one: an expression is one `{{ path }}`, whose first word is
 * `$json`, `$now`, `$random`, `$vars`, `$runIndex`, `$static` (which counts up) or `$('Node')` (its last run's first item).
 */
export const plainSandbox: Sandbox = {
  evaluate(template, view, itemIndex) {
    const path = /^\{\{\s*(.*?)\s*\}\}$/.exec(template)?.[1];
    if (path === undefined) return template;
    if (path === 'fail') throw new WorkflowError('ExpressionFailed', 'this expression always fails');
    const [first = '', ...keys] = path.split('.');
    let value = root(first, view, itemIndex);
    for (const key of keys) value = (value as Record<string, unknown> | undefined)?.[key];
    return value;
  },
  check: (template) => (template.includes('{{') && !template.includes('}}') ? 'the }} is missing' : undefined),
  runCode: () => Promise.reject(new Error('the plain sandbox runs no code')),
};

function root(name: string, view: ExecutionView, itemIndex: number): unknown {
  const node = /^\$\('(.*)'\)$/.exec(name)?.[1];
  if (node !== undefined) return view.runsOf(node)?.at(-1)?.outputs[0]?.[0]?.json;
  if (name === '$json') return view.input(0)[itemIndex]?.json;
  if (name === '$now') return view.now();
  if (name === '$random') return view.random();
  if (name === '$vars') return view.variables;
  if (name === '$runIndex') return view.runIndex;
  if (name === '$static') {
    const data = view.staticData('global');
    data['count'] = Number(data['count'] ?? 0) + 1;
    return data['count'];
  }
  throw new WorkflowError('ExpressionFailed', `${name} is not known here`);
}
