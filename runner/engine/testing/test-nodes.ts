import { WorkflowError } from '../error.ts';
import type { NodeTypes } from '../graph.ts';
import type { Item } from '../item.ts';
import type { NodeContext, NodeType } from '../node-type.ts';

type Execute = NodeType['execute'];

function nodeType(type: string, execute: Execute, more: Partial<NodeType> = {}): NodeType {
  return {
    type, displayName: type, description: type, group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'], parameters: [],
    execute, ...more,
  };
}

function items(...rows: object[]): Item[] {
  return rows.map((json) => ({ json: json as Item['json'] }));
}

/** What effects did: every call with its idempotency key, and how often each key was seen. */
export class Double {
  readonly calls: { node: string; key: string; value: unknown }[] = [];

  timesOf(key: string): number {
    return this.calls.filter((call) => call.key === key).length;
  }
}

/**
 * Small node types for tests of the engine:
 * `start`, `pass` (its input), `make` (`rows` or `outputs` as written), `set` (`fields` per item), `join` (all inputs),
 * `fail` (`times`, then passes; with `effect` it counts as effectful), `effect` (calls the double, gives `{value}`), `loop` (out 1 `times`, then out 0),
 * `slow` (an effect that sleeps `ms`, then adds its name and run index to its items; fails when `fails`), `wait` (`after` or `on`), `call` (`workflow`, `wait`), `hang` (until aborted), `answer` (responds).
 */
export function testNodes(double = new Double()): NodeTypes {
  const trigger = { group: 'trigger', inputs: 0 } as const;
  const passed = (context: NodeContext): Item[] => [...context.input()];
  const all = [
    nodeType('start', (context) => [passed(context)], trigger),
    nodeType('executeWorkflowTrigger', (context) => [passed(context)], trigger),
    nodeType('errorTrigger', (context) => [passed(context)], trigger),
    nodeType('pass', (context) => [passed(context)]),
    nodeType('make', (context) => {
      const outputs = context.rawParameter('outputs') as (object[] | null)[] | undefined;
      const rows = context.rawParameter('rows') as object[] | undefined;
      return structuredClone(outputs ? outputs.map((each) => each && items(...each)) : [items(...(rows ?? []))]);
    }, { outputs: (node) => ((node.parameters?.['outputs'] as unknown[] | undefined) ?? ['main']).map((_, index) => `out ${index}`) }),
    nodeType('set', (context) => [context.input().map((_, index) => ({ json: { ...(context.parameter('fields', index) as object) }, pairedItem: { item: index } }))], {
      shares: ({ parameters }) => (JSON.stringify(parameters ?? {}).includes('$static') ? ['staticData'] : []),
    }),
    nodeType('join', (context) => [Array.from({ length: Math.max(2, context.inputCount) }, (_, index) => context.input(index)).flat()], {
      inputs: 2, requiredInputs: (node) => (node.parameters?.['all'] === true ? [0, 1] : []),
    }),
    nodeType('fail', (context) => {
      const failed = Number(context.state['failed'] ?? 0);
      if (failed >= Number(context.rawParameter('times') ?? Infinity)) return [passed(context)];
      context.state['failed'] = failed + 1;
      throw new WorkflowError('TestFailed', 'failed on purpose', context.rawParameter('final') === true ? { nonRetryable: true } : {});
    }, { effect: (node) => (node.parameters?.['effect'] === true ? 'effectful' : 'pure') }),
    nodeType('effect', async (context) => {
      const made: Item[] = [];
      for (let index = 0; index < context.input().length; index += 1) {
        const value = context.parameter('value', index, index);
        double.calls.push({ node: context.node.name, key: context.idempotencyKey(index), value });
        made.push({ json: { value, time: await Promise.resolve(double.calls.length) }, pairedItem: { item: index } });
      }
      return [made];
    }, { effect: 'effectful', cacheable: () => true }),
    nodeType('login', (context) => [passed(context)], { credentialType: () => 'api' }),
    nodeType('loop', (context) => {
      const done = Number(context.state['done'] ?? 0);
      context.state['done'] = done + 1;
      return done < Number(context.rawParameter('times')) ? [[], passed(context)] : [passed(context), []];
    }, { outputs: ['done', 'loop'] }),
    nodeType('slow', async (context) => {
      const { name } = context.node;
      double.calls.push({ node: name, key: context.idempotencyKey(0), value: context.runIndex });
      await context.sleep(Number(context.rawParameter('ms') ?? 10));
      if (context.rawParameter('fails') === true) throw new WorkflowError('TestFailed', `${name} failed on purpose`);
      return [context.input().map(({ json }, item) => ({ json: { ...json, [name]: context.runIndex }, pairedItem: { item } }))];
    }, { effect: 'effectful' }),
    nodeType('wait', (context) => {
      const after = context.rawParameter('after');
      const on = context.rawParameter('on') as 'webhook' | undefined;
      return { wait: { ...(typeof after === 'number' ? { until: context.now() + after } : {}), ...(on ? { on } : {}) } };
    }),
    nodeType('call', async (context) => {
      const workflow = (context.rawParameter('workflow') as string | undefined) ?? 'none';
      const result = await context.runWorkflow({ workflow, items: context.input(), wait: context.rawParameter('wait') !== false });
      if (result?.error) throw new WorkflowError(result.error.code, result.error.message);
      const last = result?.runs.findLast(({ node }) => node === result.lastNode);
      return [last ? [...(last.outputs[0] ?? [])].map(({ json }) => ({ json })) : passed(context)];
    }),
    nodeType('hang', () => new Promise<never>(() => undefined)),
    nodeType('answer', async (context) => {
      await context.respond({ status: 200, headers: {}, body: 'early', encoding: 'utf8' });
      return [passed(context)];
    }, { effect: 'effectful' }),
  ];
  return new Map(all.map((type) => [type.type, type]));
}
