import { distributionProblems } from './distribution-problems.ts';
import { effectOf } from './graph.ts';
import type { NodeTypes } from './graph.ts';
import { nearest } from './nearest.ts';
import type { NodeType } from './node-type.ts';
import { transactionProblem } from './transaction-rules.ts';
import type { Connection, WorkflowDefinition, WorkflowNode } from './workflow.ts';
import { COMPENSATION, OnError } from './workflow.ts';

/** Something wrong with a definition, found without running it. */
export interface Problem {
  /** An active workflow with an error is refused; a warning is only shown. */
  severity: 'error' | 'warning';
  /** Stable, CamelCase. */
  code: string;
  /** What is wrong and what to do. */
  message: string;
  node?: string;
  /** Dotted path of the parameter. */
  parameter?: string;
}

interface Validation {
  definition: WorkflowDefinition;
  nodeTypes: NodeTypes;
  checkExpression: (template: string) => string | undefined;
  nodes: ReadonlyMap<string, WorkflowNode>;
  /** A workflow that is not active may be unfinished: then this is a warning. */
  unfinished: Problem['severity'];
}

/**
 * Everything wrong with a definition; the operator, the CLI and the editor all ask this. `checkExpression` gets the text
 * after the leading `=` and gives what is wrong with it, with its position.
 */
export function validateWorkflow(definition: WorkflowDefinition, nodeTypes: NodeTypes, checkExpression: (template: string) => string | undefined): Problem[] {
  const nodes = new Map(definition.nodes.map((node) => [node.name, node]));
  const validation: Validation = { definition, nodeTypes, checkExpression, nodes, unfinished: definition.active ? 'error' : 'warning' };
  return [
    ...duplicateNames(definition),
    ...definition.nodes.flatMap((node) => nodeProblems(validation, node)),
    ...definition.connections.flatMap((connection) => connectionProblems(validation, connection)),
    ...reachabilityProblems(validation),
    ...transactionProblems(validation),
  ];
}

function transactionProblems({ definition, unfinished }: Validation): Problem[] {
  const problem = transactionProblem(definition);
  return problem ? [{ severity: unfinished, code: 'TransactionNotPossible', ...problem }] : [];
}

function duplicateNames({ nodes }: WorkflowDefinition): Problem[] {
  const repeated = new Set(nodes.map(({ name }) => name).filter((name, index, all) => all.indexOf(name) !== index));
  return [...repeated].map((node) => ({
    severity: 'error', code: 'NodeNameDuplicate', node, message: `Two nodes are called '${node}'. Connections and expressions refer to nodes by name; rename one.`,
  }));
}

function nodeProblems(validation: Validation, node: WorkflowNode): Problem[] {
  const type = validation.nodeTypes.get(node.type);
  const severity = node.disabled ? 'warning' : validation.unfinished;
  const at = { severity, node: node.name };
  if (!type) {
    const similar = nearest(node.type, validation.nodeTypes.keys());
    const hint = similar === undefined ? 'Check its spelling, or install the package that brings it.' : `Did you mean '${similar}'?`;
    return [{ ...at, code: 'UnknownNodeType', message: `There is no node type '${node.type}'. ${hint}` }];
  }
  const expressions = templatesOf(node, type);
  return [
    ...(type.problems?.(node) ?? []).map((problem) => ({ ...at, code: 'ParameterInvalid', ...problem })),
    ...missingCredential(node, type),
    ...(node.cache && type.cacheable?.(node) !== true ? [{ ...at, code: 'CacheNotPossible', message: `Results of '${node.name}' cannot be cached: ${type.cacheable ? 'its options make failures look like results' : `nodes of type '${node.type}' do more than answer their input`}. Remove \`cache\`.` }] : []),
    ...distributionProblems(node, validation.definition, validation.nodeTypes).map((message) => ({ ...at, code: 'DistributeNotPossible', message })),
    ...expressions.flatMap(({ parameter, template }) => {
      const wrong = validation.checkExpression(template);
      return wrong === undefined ? [] : [{ ...at, code: 'ExpressionSyntax', parameter, message: `The expression in '${parameter}' cannot be read: ${wrong}` }];
    }),
  ];
}

/** Only a warning: an execution may be meant not to come there. */
function missingCredential(node: WorkflowNode, type: NodeType): Problem[] {
  const wanted = type.credentialType?.(node);
  if (wanted === undefined || Object.hasOwn(node.credentials ?? {}, wanted)) return [];
  return [{ severity: 'warning', code: 'CredentialMissing', node: node.name, message: `'${node.name}' needs a credential of type ${wanted}: name a Secret of the namespace under credentials.${wanted}.` }];
}

interface Template {
  /** The dotted path that leads to it. */
  parameter: string;
  template: string;
}

/** Every expression of a node. */
function templatesOf({ parameters = {}, cache, distribute }: WorkflowNode, type: NodeType): Template[] {
  const found: Template[] = [];
  const isLiteral = (name: string): boolean => type.parameters.some((parameter) => parameter.literal === true && parameter.name === name);
  for (const name of Object.keys(parameters)) if (!isLiteral(name)) collectTemplates(name, parameters[name], found);
  collectTemplates('cache.key', cache?.key, found);
  collectTemplates('distribute.key', distribute?.key, found);
  collectTemplates('distribute.from.range', distribute?.from?.range, found);
  return found;
}

function collectTemplates(parameter: string, value: unknown, found: Template[]): void {
  if (typeof value === 'string') {
    if (value.startsWith('=')) found.push({ parameter, template: value.slice(1) });
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) collectTemplates(`${parameter}.${key}`, child, found);
  }
}

function connectionProblems({ nodes, nodeTypes, unfinished }: Validation, { from, output, to, input, type }: Connection): Problem[] {
  const source = nodes.get(from);
  const target = nodes.get(to);
  if (!source || !target) {
    const missing = source ? to : from;
    const message = `A connection goes ${source ? 'to' : 'from'} '${missing}', which is not a node of the workflow. Remove the connection or add the node.`;
    return [{ severity: unfinished, code: 'ConnectionDangling', ...(source || target ? { node: source ? from : to } : {}), message }];
  }
  if (type !== 'main' && type !== COMPENSATION) return [];
  const outputs = outputCount(source, nodeTypes.get(source.type));
  const inputs = inputCount(target, nodeTypes.get(target.type));
  return [
    ...(type === COMPENSATION ? needless(source, to, nodeTypes) : []),
    ...(outputs === undefined || output < outputs ? [] : [{
      severity: 'warning' as const, code: 'OutputMissing', node: from, message: `'${from}' has no output ${output}; it has ${outputs}. Nothing will come through this connection.`,
    }]),
    ...(inputs === undefined || input < inputs ? [] : [{
      severity: 'warning' as const, code: 'InputMissing', node: to, message: `'${to}' has no input ${input}; it has ${inputs}. What arrives there is not used.`,
    }]),
  ];
}

/** A type that is not known may have effects. */
function needless(node: WorkflowNode, to: string, nodeTypes: NodeTypes): Problem[] {
  const type = nodeTypes.get(node.type);
  if (!type || effectOf(node, type) === 'effectful') return [];
  const message = `'${node.name}' changes nothing outside the execution, so there is nothing to undo: '${to}' never runs for it. Remove the connection.`;
  return [{ severity: 'warning', code: 'CompensationNeedless', node: node.name, message }];
}

function outputCount(node: WorkflowNode, type: NodeType | undefined): number | undefined {
  const outputs = typeof type?.outputs === 'function' ? type.outputs(node) : type?.outputs;
  return outputs && outputs.length + (node.onError === OnError.ErrorOutput ? 1 : 0);
}

function inputCount(node: WorkflowNode, type: NodeType | undefined): number | undefined {
  return typeof type?.inputs === 'function' ? type.inputs(node) : type?.inputs;
}

/** A node is reached along its wires from a trigger; a sub-node (AI connections) counts as reached with the node it serves. */
function reachabilityProblems({ definition, nodeTypes, unfinished }: Validation): Problem[] {
  const triggers = definition.nodes.filter((node) => !node.disabled && nodeTypes.get(node.type)?.group === 'trigger');
  if (triggers.length === 0) {
    const message = 'No trigger starts this workflow. Add one, such as webhook or manualTrigger, or enable it.';
    return [{ severity: unfinished, code: 'TriggerMissing', message }];
  }
  const reached = new Set(triggers.map(({ name }) => name));
  const next = new Map<string, string[]>();
  for (const { from, to, type } of definition.connections) {
    const [near, far] = type === 'main' || type === COMPENSATION ? [from, to] : [to, from];
    next.set(near, [...(next.get(near) ?? []), far]);
  }
  const open = [...reached];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const far of next.get(name) ?? []) {
      if (reached.has(far)) continue;
      reached.add(far);
      open.push(far);
    }
  }
  return definition.nodes.filter((node) => !reached.has(node.name) && hasInputs(node, nodeTypes)).map(({ name }) => ({
    severity: 'warning', code: 'NodeUnreachable', node: name, message: `No trigger leads to '${name}', so it never runs. Connect it or remove it.`,
  }));
}

/** Notes on the canvas have neither inputs nor a reason to be reached. */
function hasInputs(node: WorkflowNode, nodeTypes: NodeTypes): boolean {
  return inputCount(node, nodeTypes.get(node.type)) !== 0;
}
