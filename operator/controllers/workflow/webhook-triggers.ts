import { callerCredential, credentialTypeOf } from '../../../runner/nodes/webhook/caller-credential.ts';
import { unservedOption } from '../../../runner/nodes/webhook/unserved.ts';
import type { WorkflowDefinition, WorkflowNode } from '../../../runner/engine/workflow.ts';
import type { WebhookTrigger } from '../../../store/route.ts';
import type { Problem } from './problem.ts';

const RESPONSE_MODES = ['onReceived', 'lastNode', 'responseNode'] as const;
const METHODS = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'];

/** The webhooks of the nodes that are switched on, and what is wrong with the others. */
export function webhookTriggers({ nodes }: Pick<WorkflowDefinition, 'nodes'>): { triggers: WebhookTrigger[]; problems: Problem[] } {
  const triggers: WebhookTrigger[] = [];
  const problems: Problem[] = [];
  const owners = new Map<string, string>();
  for (const node of nodes) {
    if (node.type !== 'webhook' || node.disabled === true) continue;
    for (const trigger of triggersOf(node)) {
      const problem = problemOf(trigger, node) ?? collisionOf(trigger, owners);
      if (problem === undefined) triggers.push(trigger);
      else problems.push(problem);
    }
  }
  return { triggers, problems };
}

function triggersOf(node: WorkflowNode): WebhookTrigger[] {
  const { httpMethod = 'GET', path = node.webhookId ?? '', responseMode, ...options } = node.parameters ?? {};
  const mode = RESPONSE_MODES.find((known) => known === responseMode) ?? 'onReceived';
  const methods = [...new Set((Array.isArray(httpMethod) ? httpMethod : [httpMethod]).map((method) => String(method).toUpperCase()))];
  const credential = callerCredential(options.authentication, node.credentials);
  return methods.map((method) => ({
    kind: 'Webhook', node: node.name, method, path: String(path).replace(/^\/+|\/+$/g, ''), responseMode: mode, options, ...(credential && { credential }),
  }));
}

function problemOf({ method, path, node, credential }: WebhookTrigger, { parameters = {} }: WorkflowNode): Problem | undefined {
  const at = (code: string, parameter: string, message: string): Problem => ({ severity: 'error', code, node, parameter, message });
  if (path === '') return at('WebhookPathMissing', 'path', 'has no path; give it one, such as orders');
  if (path.startsWith('=')) return at('WebhookPathIsExpression', 'path', 'is an expression; a path is registered before anything runs, so write it out');
  if (path.length > 512 || !/^[\w.~:@!$&'()*+,;=%-]+(\/[\w.~:@!$&'()*+,;=%-]+)*$/.test(path)) {
    return at('WebhookPathInvalid', 'path', `'${path.slice(0, 80)}' is not a URL path; write segments of letters, digits and -_.~ with one / between them`);
  }
  if (!METHODS.includes(method)) return at('WebhookMethodUnknown', 'httpMethod', `'${method.slice(0, 20)}' is none of ${METHODS.join(', ')}`);
  const unserved = unservedOption(parameters);
  if (unserved !== undefined) return at('WebhookNotServed', 'options', `asks for ${unserved}, which the server cannot do; write out one that it can, or protect the path at the ingress`);
  const type = credentialTypeOf(parameters.authentication);
  if (type !== undefined && credential === undefined) {
    return at('WebhookCredentialMissing', 'authentication', `needs a credential of type ${type} to check callers against; name a Secret of this namespace under credentials.${type}`);
  }
  const { responseMode } = parameters;
  if (responseMode !== undefined && !RESPONSE_MODES.some((known) => known === responseMode)) {
    return at('WebhookResponseModeUnknown', 'responseMode', `is none of ${RESPONSE_MODES.join(', ')}`);
  }
  return undefined;
}

/** Two nodes of one workflow with the same path: between workflows the store decides. */
function collisionOf({ method, path, node }: WebhookTrigger, owners: Map<string, string>): Problem | undefined {
  const claim = `${method} ${path.replace(/(^|\/):[^/]*/g, '$1:')}`;
  const owner = owners.get(claim);
  if (owner === undefined) {
    owners.set(claim, node);
    return undefined;
  }
  return { severity: 'error', code: 'WebhookPathTwice', node, parameter: 'path', message: `${method} ${path} is also the path of node '${owner}'; choose another path` };
}
