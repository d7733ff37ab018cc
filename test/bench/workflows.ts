import { importWorkflow, Verdict } from '../../importers/n8n/index.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { nodeTypes } from '../../runner/nodes/registry.ts';
import type { N8nWorkflow } from './peers/n8n.ts';
import { NAMESPACE } from './system.ts';

/** The workflows of the benches, written once, as n8n's files; Millrace imports them. */

interface Step {
  name: string;
  type: string;
  typeVersion: number;
  parameters: object;
  /** Name, output: whose items it gets. Default: those of the step before. */
  after?: readonly [string, number][];
}

function workflow(name: string, steps: readonly Step[]): N8nWorkflow {
  const connections: Record<string, { main: { node: string; type: 'main'; index: 0 }[][] }> = {};
  steps.forEach(({ name: to, after }, index) => {
    const previous = steps[index - 1]?.name;
    for (const [from, output] of after ?? (previous === undefined ? [] : [[previous, 0] as const])) {
      const { main } = (connections[from] ??= { main: [] });
      while (main.length <= output) main.push([]);
      main[output]?.push({ node: to, type: 'main', index: 0 });
    }
  });
  return {
    name, connections,
    nodes: steps.map(({ name: node, type, typeVersion, parameters }, index) => ({
      id: `${name}-${index}`, name: node, type: `n8n-nodes-base.${type}`, typeVersion, parameters, position: [220 * index, 0],
      ...(type === 'webhook' && { webhookId: `${name}-${index}` }),
    })),
    settings: { executionOrder: 'v1' },
  };
}

/** The same for Millrace. Throws when something of it could not be taken over. */
export function imported(from: N8nWorkflow): WorkflowDefinition {
  const { definition, report } = importWorkflow({ ...from }, { id: `${NAMESPACE}/${from.name}`, nodeTypes });
  const refused = report.filter(({ verdict }) => verdict !== Verdict.Supported);
  if (refused.length > 0) throw new Error(`Not supported: ${JSON.stringify(refused)}`);
  return definition;
}

/** With progress saved after every node where that is an option. */
export function savingProgress(from: N8nWorkflow): N8nWorkflow {
  return { ...from, settings: { ...from.settings, saveExecutionProgress: true } };
}

const hook = (path: string): Step => ({ name: 'Webhook', type: 'webhook', typeVersion: 2, parameters: { httpMethod: 'POST', path, responseMode: 'lastNode', options: {} } });

const set = (name: string, fields: Record<string, string>, includeOtherFields = false): Step => ({
  name, type: 'set', typeVersion: 3.4,
  parameters: {
    assignments: { assignments: Object.entries(fields).map(([field, value]) => ({ id: `${name}-${field}`, name: field, type: 'string', value })) }, includeOtherFields, options: {},
  },
});

const code = (name: string, jsCode: string): Step => ({ name, type: 'code', typeVersion: 2, parameters: { jsCode } });

/** Webhook → set: computes a field of the body and answers with it. */
export function intake(path = 'intake'): N8nWorkflow {
  return workflow(path, [hook(path), {
    name: 'Total', type: 'set', typeVersion: 3.4,
    parameters: { assignments: { assignments: [{ id: 'total', name: 'total', type: 'number', value: '={{ $json.body.price * $json.body.count }}' }] }, options: {} },
  }]);
}

/** Webhook → `count` effectful nodes that do next to nothing: each makes a random UUID, which no replay may make anew. */
export function lightChain(count: number, name = `chain-${count}`): N8nWorkflow {
  return workflow(name, [hook(name), ...numbered(count, (step) => ({
    name: step, type: 'crypto', typeVersion: 1, parameters: { action: 'generate', encodingType: 'uuid', dataPropertyName: 'id' },
  }))]);
}

/** Webhook → `count` GET requests to a server, one after the other. */
export function httpChain(count: number, url: string, name = `http-chain-${count}`): N8nWorkflow {
  return workflow(name, [hook(name), ...numbered(count, (step) => ({ name: step, type: 'httpRequest', typeVersion: 4.2, parameters: { url, options: {} } }))]);
}

function numbered(count: number, step: (name: string) => Step): Step[] {
  return Array.from({ length: count }, (_, index) => step(`Step ${index + 1}`));
}

const makeItems = (count: number): Step => code('Items', `return Array.from({ length: ${count} }, (_, n) => ({ json: { n, name: 'customer ' + n, a: { b: n } } }));`);
const always = { leftValue: '={{ $json.n }}', rightValue: 0, operator: { type: 'number', operation: 'gte' } };

function isNumbered(after?: Step['after']): Step {
  return {
    name: 'If', type: 'if', typeVersion: 2.2, ...(after && { after }),
    parameters: { conditions: { options: { caseSensitive: true, leftValue: '', typeValidation: 'loose', version: 2 }, combinator: 'and', conditions: [{ id: 'c', ...always }] }, options: {} },
  };
}

/** The body of a loop as often as there are items: set → if → noOp. */
export function loop(iterations: number): N8nWorkflow {
  const name = `loop-${iterations}`;
  return workflow(name, [
    hook(name), makeItems(iterations),
    { name: 'Loop', type: 'splitInBatches', typeVersion: 3, parameters: { batchSize: 1, options: {} }, after: [['Items', 0], ['Nothing', 0]] },
    { ...set('Set', { text: '={{ $json.name }}' }, true), after: [['Loop', 1]] },
    isNumbered(),
    { name: 'Nothing', type: 'noOp', typeVersion: 1, parameters: {} },
  ]);
}

/** The nodes of `items` that are measured. */
export const ITEM_NODES = ['Set', 'If', 'Code'];

/** A number of items through set → if → code. */
export function items(count: number): N8nWorkflow {
  const name = `items-${count}`;
  return workflow(name, [
    hook(name), makeItems(count), set('Set', { text: '={{ $json.name }}' }, true), isNumbered(),
    code('Code', 'return $input.all().map((item) => ({ json: { ...item.json, double: item.json.n * 2 } }));'),
  ]);
}

/** Ten fields of each item, from an expression or as they stand. */
export function tenFields(count: number, value: string): N8nWorkflow {
  const name = `fields-${count}-${value.startsWith('=') ? 'computed' : 'fixed'}`;
  return workflow(name, [hook(name), makeItems(count), set('Set', Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`f${n}`, value])))]);
}

/** Webhook → set: hands the body on and answers with how many orders it has. */
export function passOn(name: string): N8nWorkflow {
  return workflow(name, [hook(name), set('Count', { count: '={{ $json.body.orders ? $json.body.orders.length : 0 }}' })]);
}

/** One step that says what it got. */
export function oneStep(name = 'one-step'): N8nWorkflow {
  return workflow(name, [hook(name), set('Set', { text: '={{ $json.body.id }}' })]);
}
