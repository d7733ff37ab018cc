import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { full, runSeed } from '../../test/full.ts';
import { importWorkflow } from '../../importers/n8n/index.ts';
import type { Item } from './item.ts';
import { executeTest } from './testing/execute-test.ts';
import { plainSandbox } from './testing/plain-sandbox.ts';
import { callable, testHost } from './testing/test-host.ts';
import { testNodes } from './testing/test-nodes.ts';
import { validateWorkflow } from './validate.ts';
import type { Connection, WorkflowDefinition, WorkflowNode } from './workflow.ts';

const RUNS = full ? 20_000 : 500;
const MAX_NODE_RUNS = 100;
const names = ['Start', 'A', 'B', 'C', 'D', 'E', 'constructor', '__proto__'];
const name = fc.constantFrom(...names);
const json = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 });
const item = fc.record({ json, pairedItem: fc.option(fc.record({ item: fc.integer(), input: fc.integer() }), { nil: undefined }) }, { requiredKeys: ['json'] });

const node = fc.record({
  name,
  type: fc.constantFrom('start', 'pass', 'make', 'set', 'join', 'fail', 'effect', 'loop', 'wait', 'call', 'answer', 'no such type'),
  position: fc.tuple(fc.integer(), fc.double()),
  parameters: fc.record({
    rows: fc.array(json, { maxLength: 3 }), outputs: fc.array(fc.option(fc.array(json, { maxLength: 2 })), { maxLength: 3 }),
    fields: fc.dictionary(fc.string(), fc.oneof(fc.constantFrom('={{ $json.a }}', '={{ $random }}', "={{ $('A').x }}", '={{ fail }}', '={{'), fc.jsonValue()), { maxKeys: 3 }),
    times: fc.nat(5), all: fc.boolean(), after: fc.integer(), workflow: fc.constantFrom('self', 'none'), wait: fc.boolean(),
  }, { requiredKeys: [] }),
  disabled: fc.boolean(), executeOnce: fc.boolean(), alwaysOutputData: fc.boolean(),
  onError: fc.constantFrom('Stop', 'Continue', 'ErrorOutput'),
  retry: fc.record({ maxTries: fc.integer({ min: 1, max: 4 }), wait: fc.constantFrom('0ms', '1s', 'soon') }),
}, { requiredKeys: ['name', 'type'] }) as fc.Arbitrary<WorkflowNode>;

const connection: fc.Arbitrary<Connection> = fc.record({ from: fc.oneof(fc.constant('Start'), name), output: fc.constantFrom(0, 0, 1, 2, 3), to: name, input: fc.constantFrom(0, 0, 1, 3), type: fc.constantFrom('main', 'main', 'main', 'ai_tool') });

const workflow = fc.record({
  id: fc.constant('self'), name: fc.string(),
  compat: fc.constantFrom('millrace', 'n8n-v1', 'n8n-v2', 'n8n-v3'),
  nodes: fc.array(node, { maxLength: 8, size: 'max' }).map((nodes): WorkflowNode[] => [{ name: 'Start', type: 'start' }, ...nodes]), connections: fc.array(connection, { minLength: 2, maxLength: 20, size: 'max' }),
  settings: fc.record({ executionOrder: fc.constantFrom('v0', 'v1'), parallelBranches: fc.constantFrom(1, 3), errorWorkflow: fc.constantFrom('self', 'none') }, { requiredKeys: [] }),
  pinData: fc.dictionary(name, fc.array(item, { maxLength: 3 }), { maxKeys: 2 }),
}, { requiredKeys: ['id', 'name', 'nodes', 'connections'] }) as fc.Arbitrary<WorkflowDefinition>;

test(`${RUNS} random workflows end, with a status and a record of every run`, async () => {
  const seen: Record<string, number> = {};
  await fc.assert(fc.asyncProperty(workflow, fc.array(item as fc.Arbitrary<Item>, { maxLength: 4 }), fc.constantFrom('Manual', 'Webhook'), async (definition, items, mode) => {
    const host = testHost({ loadWorkflow: async (id) => callable(id === 'self' ? definition : undefined) });
    const result = await executeTest(definition, { mode, start: { node: 'Start', items }, maxNodeRuns: MAX_NODE_RUNS, historyBytes: 2000 }, host);
    const outcome = result.error ? `${result.status} ${result.error.code}` : result.status;
    seen[outcome] = (seen[outcome] ?? 0) + 1;
    expect(['Succeeded', 'Failed', 'Waiting']).toContain(result.status);
    // An error without a code of its own would be a bug of the engine.
    expect(result.error?.code).not.toBe('NodeFailed');
    expect(result.runs.length).toBeLessThanOrEqual(MAX_NODE_RUNS);
    expect(() => JSON.stringify(result)).not.toThrow();
    const misnumbered = result.runs.filter((run, index) => run.runIndex !== result.runs.slice(0, index).filter(({ node }) => node === run.node).length);
    expect(misnumbered).toEqual([]);
  }), { numRuns: RUNS, seed: runSeed });
  console.log(`${RUNS} random workflows with MILLRACE_TEST_SEED=${runSeed}: ${JSON.stringify(seen)}`);
}, RUNS * 120);

test(`${RUNS} random pieces of JSON are imported and judged without a crash`, () => {
  const record = fc.dictionary(fc.constantFrom('name', 'type', 'nodes', 'connections', 'settings', 'pinData', 'main', 'A', 'node', 'index', 'credentials', 'onError', 'maxTries', 'retryOnFail', '__proto__'), fc.jsonValue(), { maxKeys: 6 });
  const something = fc.oneof(record, fc.record({ nodes: fc.array(record), connections: fc.dictionary(name, record), settings: record, pinData: record }));
  let nodes = 0;
  fc.assert(fc.property(something, (from) => {
    const { definition, report } = importWorkflow(from, { id: 'x', nodeTypes: testNodes() });
    nodes += report.length;
    const problems = validateWorkflow(definition, testNodes(), (template) => plainSandbox.check(template));
    expect(problems.every(({ code, message }) => code !== '' && message !== '')).toBe(true);
  }), { numRuns: RUNS, seed: runSeed });
  console.log(`${RUNS} random imports with MILLRACE_TEST_SEED=${runSeed}: ${nodes} nodes reported`);
}, RUNS * 120);
