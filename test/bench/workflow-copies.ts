import { randomUUID } from 'node:crypto';
import type { WorkflowSpec } from '../../crds/workflow.ts';
import { definitionOf } from '../../operator/controllers/workflow/definition.ts';
import { revisionCopy } from '../../operator/controllers/workflow/history.ts';
import { routeOf } from '../../operator/controllers/workflow/route.ts';
import { webhookTriggers } from '../../operator/controllers/workflow/webhook-triggers.ts';
import type { ControllerRevision } from '../../operator/kube/builtin.ts';
import type { Workflow } from '../../operator/controllers/resources.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { revisionOf } from '../../store/revisions.ts';
import type { RouteSpec } from '../../store/route.ts';

/** Long and odd enough to occur in the texts of the original only where its name does. */
export const ORIGINAL = { namespace: 'bench-original', name: 'workflow-original' };

const wire = (from: string, to: string, output = 0) => ({ from, output, to, input: 0, type: 'main' });
const field = (name: string, value: string) => ({ id: name, name, type: 'string', value });
const overHundred = {
  options: { caseSensitive: true, typeValidation: 'strict' }, combinator: 'and',
  conditions: [{ leftValue: '={{ $json.total }}', rightValue: 100, operator: { type: 'number', operation: 'gt' } }],
};

/** An order intake of twelve nodes, about 6 KB. `change` makes another revision of it. */
export function intake(name: string, change: number): WorkflowSpec {
  const at = (index: number): [number, number] => [(index % 6) * 220, Math.floor(index / 6) * 200];
  const set = (node: string, index: number) => ({
    name: node, type: 'set', typeVersion: 3.4, position: at(index),
    parameters: { assignments: { assignments: [field('customer', '={{ $json.body.customer.name.trim() }}'), field('total', '={{ $json.body.lines.map((line) => line.price * line.count) }}'), field('step', `${node}, version ${change}`)] } },
  });
  const call = (node: string, index: number) => ({
    name: node, type: 'httpRequest', typeVersion: 4.2, position: at(index), retry: { maxTries: 3 },
    parameters: { method: 'POST', url: `=https://erp.example.com/orders/{{ $json.id }}/${index}`, sendBody: true, specifyBody: 'json', jsonBody: '={{ JSON.stringify({ customer: $json.customer, total: $json.total, at: $now.toISO() }) }}' },
  });
  return {
    displayName: 'Order intake', active: true, tags: ['orders'], settings: { timeout: '5m', save: { success: 'Summary' } },
    nodes: [
      { name: 'New order', type: 'webhook', typeVersion: 2, position: at(0), parameters: { httpMethod: 'POST', path: name, responseMode: 'onReceived' } },
      set('Normalise', 1),
      { name: 'Big?', type: 'if', typeVersion: 2.2, position: at(2), parameters: { conditions: overHundred } },
      call('Reserve stock', 3), set('Reserved', 4), call('Ask for approval', 5), set('Approved', 6),
      { name: 'Price', type: 'code', typeVersion: 2, position: at(7), parameters: { jsCode: 'let total = 0;\nfor (const item of $input.all()) {\n  total += Number(item.json.total ?? 0);\n}\nreturn [{ json: { total, rounded: Math.round(total * 100) / 100 } }];' } },
      { name: 'Cheapest first', type: 'sort', position: at(8), parameters: { sortFieldsUi: { sortField: [{ fieldName: 'total', order: 'ascending' }] } } },
      { name: 'Ten at most', type: 'limit', position: at(9), parameters: { maxItems: 10 } },
      call('Tell the shop', 10),
      { name: 'Done', type: 'noOp', position: at(11) },
    ],
    connections: [
      wire('New order', 'Normalise'), wire('Normalise', 'Big?'), wire('Big?', 'Ask for approval'), wire('Big?', 'Reserve stock', 1), wire('Reserve stock', 'Reserved'), wire('Reserved', 'Price'),
      wire('Ask for approval', 'Approved'), wire('Approved', 'Price'), wire('Price', 'Cheapest first'), wire('Cheapest first', 'Ten at most'), wire('Ten at most', 'Tell the shop'), wire('Tell the shop', 'Done'),
    ],
  };
}

/** A workflow the operator has published in several versions: what etcd holds of it, and the specs, oldest first. */
export interface Original {
  uid: string;
  /** The Workflow as stored. */
  workflow: string;
  /** Its ControllerRevisions as stored. */
  copies: readonly string[];
  specs: readonly WorkflowSpec[];
}

/** The same as if the operator had published it under another name. */
export interface Copy {
  /** By their keys in etcd. */
  objects: Map<string, string>;
  definitions: readonly WorkflowDefinition[];
  route: RouteSpec;
}

export function copyOf({ uid, workflow, copies, specs }: Original, metadata: { namespace: string; name: string }): Copy {
  const own = { ...metadata, uid: randomUUID() as string };
  const replaced = new Map<string, string>([[ORIGINAL.namespace, own.namespace], [ORIGINAL.name, own.name], [uid, own.uid]]);
  const named = (text: string): string => [...replaced].reduce((result, [from, to]) => result.replaceAll(from, to), text);
  const definitionsOf = (owner: typeof own, mine: readonly WorkflowSpec[]): WorkflowDefinition[] => mine.map((spec) => definitionOf({ metadata: owner, spec }));
  const definitions = definitionsOf(own, JSON.parse(named(JSON.stringify(specs))) as WorkflowSpec[]);
  const originals = definitionsOf({ ...ORIGINAL, uid }, specs);
  for (const [index, definition] of originals.entries()) {
    const [before, after] = [revisionOf(definition), revisionOf(definitions[index] ?? definition)];
    const nameOf = (of: typeof own, revision: string): string => revisionCopy({ metadata: of } as Workflow, { revision, number: 1, definition }).metadata.name.slice(-10);
    replaced.set(nameOf({ ...ORIGINAL, uid }, before), nameOf(own, after));
    replaced.set(before, after).set(before.slice(0, 10), after.slice(0, 10));
  }
  const object = JSON.parse(named(workflow)) as Workflow;
  const last = definitions.at(-1);
  if (last === undefined) throw new Error('The original has no version');
  const objects = new Map([[`/registry/millrace.dev/workflows/${own.namespace}/${own.name}`, named(workflow)]]);
  for (const text of copies) {
    const copy = JSON.parse(named(text)) as ControllerRevision;
    objects.set(`/registry/controllerrevisions/${own.namespace}/${copy.metadata.name}`, JSON.stringify({ ...copy, metadata: { ...copy.metadata, uid: randomUUID() } }));
  }
  return { objects, definitions, route: routeOf(object, revisionOf(last), webhookTriggers(last).triggers) };
}
