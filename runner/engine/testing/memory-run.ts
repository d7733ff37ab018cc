import { executeTest } from './execute-test.ts';
import { workflowOf } from './test-workflow.ts';
import type { NodeSketch } from './test-workflow.ts';
import type { WorkflowDefinition } from '../workflow.ts';

/** Run as a program with the name of a load: executes it and prints `{status, runs, maxRssMiB}`. */
const rows = Array.from({ length: 100_000 }, (_, n) => ({ id: n, name: `customer number ${n}`, address: { street: 'a street with a rather long name', city: `city ${n % 100}` }, total: n * 1.5 }));
const start: NodeSketch = { type: 'start' };
const copy: NodeSketch = { type: 'set', parameters: { fields: { id: '={{ $json.id }}', name: '={{ $json.name }}', address: '={{ $json.address }}', total: '={{ $json.total }}' } } };

const loads: Record<string, WorkflowDefinition> = {
  /** 100,000 items through 10 nodes that copy each of them. */
  items: workflowOf(
    { Start: start, Rows: { type: 'make', parameters: { rows } }, ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`Copy ${n}`, copy])) },
    ['Start > Rows', 'Rows > Copy 0', ...Array.from({ length: 9 }, (_, n) => `Copy ${n} > Copy ${n + 1}`)]),
  /** A loop of 100,000 node runs that hands ten items round. */
  loop: workflowOf(
    { Start: start, Rows: { type: 'make', parameters: { rows: rows.slice(0, 10) } }, Loop: { type: 'loop', parameters: { times: 50_000 } }, Body: copy, Done: { type: 'pass' } },
    ['Start > Rows', 'Rows > Loop', 'Loop.0 > Done', 'Loop.1 > Body', 'Body > Loop']),
};

const workflow = loads[process.argv[2] ?? ''];
if (!workflow) throw new Error(`name a load: ${Object.keys(loads).join(', ')}`);
const result = await executeTest(workflow);
console.log(JSON.stringify({ status: result.status, runs: result.runs.length, maxRssMiB: Math.round(process.resourceUsage().maxRSS / 1024) }));
