import { callerCredential, credentialTypeOf } from '../../../runner/nodes/webhook/caller-credential.ts';
import { unservedOption } from '../../../runner/nodes/webhook/unserved.ts';
import type { WorkflowDefinition, WorkflowNode } from '../../../runner/engine/workflow.ts';
import type { FormTrigger } from '../../../store/route.ts';
import type { Problem } from './problem.ts';

/** The forms of the trigger nodes that are switched on, and what is wrong with the others. */
export function formTriggers({ nodes }: Pick<WorkflowDefinition, 'nodes'>): { triggers: FormTrigger[]; problems: Problem[] } {
  const pages = nodes.some((node) => node.disabled !== true && (node.type === 'form' || (node.type === 'wait' && node.parameters?.['resume'] === 'form')));
  const triggers: FormTrigger[] = [];
  const problems: Problem[] = [];
  for (const node of nodes) {
    if (node.type !== 'formTrigger' || node.disabled === true) continue;
    const trigger = triggerOf(node, pages);
    const problem = problemOf(trigger, triggers);
    if (problem === undefined) triggers.push(trigger);
    else problems.push({ severity: 'error', node: node.name, ...problem });
  }
  return { triggers, problems };
}

function triggerOf(node: WorkflowNode, pages: boolean): FormTrigger {
  const { path, ...options } = node.parameters ?? {};
  const inOptions = typeof options['options'] === 'object' && options['options'] !== null && 'path' in options['options'] ? options['options'].path : undefined;
  const credential = callerCredential(options['authentication'], node.credentials);
  return { kind: 'Form', node: node.name, path: pathOf(path ?? inOptions ?? node.webhookId), pages, options, ...(credential && { credential }) };
}

/** What is no text is a mistake, and no path. */
function pathOf(path: unknown): string {
  return typeof path === 'string' ? path.replaceAll(/^\/+|\/+$/g, '') : '';
}

function problemOf({ path, options, credential }: FormTrigger, others: readonly FormTrigger[]): Omit<Problem, 'severity' | 'node'> | undefined {
  const at = (code: string, parameter: string, message: string) => ({ code, parameter, message });
  if (path === '') return at('WebhookPathMissing', 'path', 'has no path; give it one, such as feedback');
  if (path.startsWith('=')) return at('WebhookPathIsExpression', 'path', 'is an expression; a path is registered before anything runs, so write it out');
  if (path.length > 512 || !/^[\w.~@!$&'()*+,;=-]+(\/[\w.~@!$&'()*+,;=-]+)*$/.test(path)) {
    return at('WebhookPathInvalid', 'path', `'${path.slice(0, 80)}' is not the path of a form; write segments of letters, digits and -_.~ with one / between them`);
  }
  const twin = others.find((other) => other.path === path);
  if (twin) return at('WebhookPathTwice', 'path', `${path} is also the path of form '${twin.node}'; choose another path`);
  const unserved = unservedOption(options);
  if (unserved !== undefined) return at('WebhookNotServed', 'options', `asks for ${unserved}, which the server cannot do; write out one that it can, or protect the path at the ingress`);
  const type = credentialTypeOf(options['authentication']);
  if (type === undefined || credential !== undefined) return undefined;
  return at('WebhookCredentialMissing', 'authentication', `needs a credential of type ${type} to check callers against; name a Secret of this namespace under credentials.${type}`);
}
