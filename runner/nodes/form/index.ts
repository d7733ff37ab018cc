import { WorkflowError } from '../../engine/error.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { flagParameter, numberParameter, textParameter } from '../parameter-value.ts';
import { completionType } from './completion.ts';

const unitMs: Record<string, number> = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

/** What the page shows, with the expressions in it resolved for the first item. */
function pageOf(context: NodeContext): Record<string, unknown> {
  const fields = textParameter(context, 'defineForm', 0, 'fields') === 'json' ? { values: jsonFields(context) } : context.parameter('formFields', 0, {});
  return { formFields: fields, options: context.parameter('options', 0, {}) };
}

function jsonFields(context: NodeContext): unknown {
  const written = context.parameter('jsonOutput', 0, '[]');
  try {
    const fields: unknown = typeof written === 'string' ? JSON.parse(written) : written;
    if (Array.isArray(fields)) return fields;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new WorkflowError('InvalidJson', 'The fields of the form are no JSON list. Write a list of objects with fieldLabel and fieldType.', { parameter: 'jsonOutput', nonRetryable: true });
}

/** When the execution goes on even if nobody fills the page in. */
function limitOf(context: NodeContext): { until?: number } {
  if (!flagParameter(context, 'limitWaitTime', 0)) return {};
  return { until: context.now() + numberParameter(context, 'resumeAmount', 0, 1) * (unitMs[textParameter(context, 'resumeUnit', 0, 'hours')] ?? 3_600_000) };
}

async function complete(context: NodeContext): Promise<void> {
  const respondWith = textParameter(context, 'respondWith', 0, 'text');
  if (respondWith === 'redirect') {
    await context.respond({ status: 303, headers: { location: textParameter(context, 'redirectUrl', 0) }, body: '', encoding: 'utf8' });
    return;
  }
  const page = respondWith === 'showText'
    ? { title: '', message: textParameter(context, 'responseText', 0, '') }
    : { title: textParameter(context, 'completionTitle', 0, ''), message: textParameter(context, 'completionMessage', 0, '') };
  await context.respond({ status: 200, headers: { 'content-type': completionType }, body: JSON.stringify(page), encoding: 'utf8' });
}

/** Shows one more page to whoever fills a form in, or the page that ends it. */
export const formNode: NodeType = {
  type: 'form', displayName: 'Form', group: 'flow', versions: [1, 2, 2.1, 2.2, 2.3], effect: 'effectful', inputs: 1, outputs: ['main'],
  description: 'Shows the next page of a form and waits for it, or (operation completion) says how it ended. Needs a Form Trigger before it.',
  shares: () => ['response'],
  parameters: [
    { name: 'operation', type: 'options', options: ['page', 'completion'], default: 'page', description: 'One more page, or the last one.' },
    { name: 'defineForm', type: 'options', options: ['fields', 'json'], default: 'fields', description: 'page: fields as parameters or as JSON.' },
    { name: 'formFields', type: 'collection', description: 'page: as in the Form Trigger.' },
    { name: 'jsonOutput', type: 'json', description: 'page: a JSON list of fields.' },
    { name: 'limitWaitTime', type: 'boolean', default: false, description: 'page: go on after a time even without an answer.' },
    { name: 'resumeAmount', type: 'number', default: 1, description: 'How long.' },
    { name: 'resumeUnit', type: 'options', options: ['minutes', 'hours', 'days'], default: 'hours', description: 'The unit.' },
    { name: 'respondWith', type: 'options', options: ['text', 'redirect', 'showText'], default: 'text', description: 'completion: a page with a title, another address, or text alone.' },
    { name: 'completionTitle', type: 'string', description: 'completion: the heading.' },
    { name: 'completionMessage', type: 'string', description: 'completion: the text below it.' },
    { name: 'responseText', type: 'string', description: 'completion, showText: the text.' },
    { name: 'redirectUrl', type: 'string', description: 'completion, redirect: where to.' },
    { name: 'options', type: 'collection', default: {}, description: 'page: `formTitle`, `formDescription`, `buttonLabel`.' },
  ],
  async execute(context) {
    if (textParameter(context, 'operation', 0, 'page') !== 'completion') return { wait: { on: 'form', request: { parameters: pageOf(context) }, ...limitOf(context) } };
    await complete(context);
    return [[...context.input()]];
  },
};
