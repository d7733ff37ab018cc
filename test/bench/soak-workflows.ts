import type { WorkflowDefinition, WorkflowNode } from '../../runner/engine/workflow.ts';

/** Namespace of the workflows of the soak. */
export const NAMESPACE = 'soak';
/** What an order is made from; with so few, a fault-free run of every kind with every one of them comes first. */
export const INPUTS = 12;

type Wire = NonNullable<WorkflowDefinition['connections']>[number];

const wire = (from: string, to: string, output = 0): Wire => ({ from, output, to, input: 0, type: 'main' });
const chain = (...names: string[]): Wire[] => names.slice(1).map((name, index) => wire(names[index] ?? '', name));
const set = (name: string, field: string, value: string): WorkflowNode => ({
  name, type: 'set', typeVersion: 3.4, parameters: { includeOtherFields: true, assignments: { assignments: [{ id: field, name: field, type: 'number', value }] } },
});
/** Depends on the input alone, so that executions of equal inputs can be compared. */
const pick: WorkflowNode = { name: 'Pick', type: 'code', typeVersion: 2, parameters: { jsCode: 'const { order, input } = $input.first().json.body;\nreturn [{ json: { order, input } }];' } };
const hook = (path: string): WorkflowNode => ({ name: 'Hook', type: 'webhook', typeVersion: 2, parameters: { httpMethod: 'POST', path, responseMode: 'onReceived' } });

/** Of every kind one workflow, named and called by its kind. Their effects are counted by the server at `effects`. */
export function soakWorkflows(effects: string): WorkflowDefinition[] {
  const effect = (name: string, path: string, key: string): WorkflowNode => ({
    name, type: 'httpRequest', typeVersion: 4.2,
    parameters: { method: 'POST', url: `${effects}/${path}`, sendHeaders: true, headerParameters: { parameters: [{ name: 'idempotency-key', value: `={{ ${key} }}` }] } },
  });
  const order = "$('Pick').first().json.order";
  const again = (name: string): WorkflowNode => ({ name, type: 'code', typeVersion: 2, parameters: { jsCode: "const { order, input } = $('Pick').first().json;\nreturn [{ json: { order, input, result: input * input + 1 } }];" } });
  const make = (name: string, nodes: WorkflowNode[], connections: Wire[]): WorkflowDefinition => ({ id: `${NAMESPACE}/${name}`, name, nodes: [hook(name), pick, ...nodes], connections: [wire('Hook', 'Pick'), ...connections] });
  return [
    make('plain', [set('Twice', 'twice', '={{ $json.input * 2 }}'), effect('Tell', 'plain', order), again('Result')], chain('Pick', 'Twice', 'Tell', 'Result')),
    make('wait', [
      { name: 'Pause', type: 'wait', typeVersion: 1.1, parameters: { resume: 'timeInterval', amount: 2, unit: 'seconds' } }, effect('Tell', 'wait', order), again('Result'),
    ], chain('Pick', 'Pause', 'Tell', 'Result')),
    make('loop', [
      { name: 'Rows', type: 'code', typeVersion: 2, parameters: { jsCode: 'const { order, input } = $input.first().json;\nreturn [0, 1, 2, 3].map((row) => ({ json: { order, row, value: input * row } }));' } },
      { name: 'Each', type: 'splitInBatches', typeVersion: 3, parameters: { batchSize: 1, options: {} } },
      effect('Tell', 'loop', "$json.order + '/' + $json.row"),
      { name: 'Add', type: 'code', typeVersion: 2, parameters: { jsCode: "return [{ json: { value: $('Each').first().json.value } }];" } },
      { name: 'Sum', type: 'code', typeVersion: 2, parameters: { jsCode: 'return [{ json: { sum: $input.all().reduce((sum, { json }) => sum + json.value, 0) } }];' } },
    ], [...chain('Pick', 'Rows', 'Each'), wire('Each', 'Sum', 0), wire('Each', 'Tell', 1), ...chain('Tell', 'Add', 'Each')]),
    make('parent', [
      { name: 'Child', type: 'executeWorkflow', typeVersion: 1.2, parameters: { source: 'database', workflowId: 'child', options: { waitForSubWorkflow: true } } }, again('Result'),
    ], chain('Pick', 'Child', 'Result')),
    make('failing', [
      effect('Tell', 'failing', order),
      { name: 'Stop', type: 'stopAndError', parameters: { errorType: 'errorMessage', errorMessage: '=Refused {{ $(\'Pick\').first().json.input }}' } },
    ], chain('Pick', 'Tell', 'Stop')),
    {
      id: `${NAMESPACE}/child`, name: 'child',
      nodes: [{ name: 'Called', type: 'executeWorkflowTrigger', parameters: { inputSource: 'passthrough' } }, { ...pick, parameters: { jsCode: 'const { order, input } = $input.first().json;\nreturn [{ json: { order, input } }];' } }, effect('Tell', 'child', order), again('Result')],
      connections: chain('Called', 'Pick', 'Tell', 'Result'),
    },
  ];
}

/** The kinds that are called from outside, and how many effects one execution has. */
export const KINDS: readonly { kind: string; effectPath: string; effects: number }[] = [
  { kind: 'plain', effectPath: '/plain', effects: 1 }, { kind: 'wait', effectPath: '/wait', effects: 1 }, { kind: 'loop', effectPath: '/loop', effects: 4 },
  { kind: 'parent', effectPath: '/child', effects: 1 }, { kind: 'failing', effectPath: '/failing', effects: 1 },
];
