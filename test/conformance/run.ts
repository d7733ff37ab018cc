import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nodeTypes } from '../../runner/nodes/registry.ts';
import { createSandbox } from '../../runner/sandbox/create-sandbox.ts';
import { loadCases } from './case.ts';
import type { Case, Recording } from './case.ts';
import { compareRecordings } from './compare.ts';
import { crashCase } from './crash-case.ts';
import { startEchoServer } from './echo-server.ts';
import { runCase } from './run-case.ts';

/**
 * `run.ts DIR [--area X] [--case N] [--json FILE] [--all] [--crash] [--parallel N]`: every failure, the count per area, and a last line
 * `N passed, N failed`. With `--crash` each case also dies before and after each of its commits; with `--parallel` its workflows have
 * `parallelBranches`, which must change nothing.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { area: { type: 'string' }, case: { type: 'string' }, json: { type: 'string' }, all: { type: 'boolean' }, crash: { type: 'boolean' }, parallel: { type: 'string' } },
});
const [suite] = positionals;
if (suite === undefined) throw new Error('usage: npm run conformance -- DIR [--area AREA] [--case NAME] [--json FILE] [--all] [--crash] [--parallel N]');

interface Outcome {
  case: Case;
  differences: string[];
  actual?: Recording;
}

const cases = loadCases(suite, { ...(values.area === undefined ? {} : { area: values.area }), ...(values.case === undefined ? {} : { name: values.case }) });
const echo = cases.some(({ needsEchoServer }) => needsEchoServer) ? await startEchoServer(suite) : undefined;
const sandbox = createSandbox();
const deps = { nodeTypes, sandbox, ...(values.parallel === undefined ? {} : { parallelBranches: Number(values.parallel) }) };
const outcomes: Outcome[] = [];
let crashes = 0;
try {
  for (const each of cases) outcomes.push(await judge(each));
} finally {
  await echo?.stop();
}

report(outcomes.filter(({ case: { quirk } }) => !quirk), values.all ? Infinity : 4);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(outcomes.map(({ case: { area, name, quirk }, ...rest }) => ({ area, name, quirk, ...rest })), null, 1));

async function judge(each: Case): Promise<Outcome> {
  try {
    const actual = await runCase(each, deps);
    const differences = compareRecordings(each.expected, actual);
    if (values.crash) {
      const crashed = await crashCase(each, deps);
      crashes += crashed.points;
      differences.push(...crashed.differences);
    }
    return { case: each, differences, actual };
  } catch (error) {
    return { case: each, differences: [`the case could not be run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`] };
  }
}

function report(judged: readonly Outcome[], shown: number): void {
  const failed = judged.filter(({ differences }) => differences.length > 0);
  for (const { case: { area, name, about }, differences } of failed) {
    console.log(`FAIL ${area}/${name}: ${about}`);
    for (const text of differences.slice(0, shown)) console.log(`  ${text}`);
  }
  for (const area of new Set(judged.map(({ case: { area } }) => area))) {
    const ofArea = judged.filter(({ case: each }) => each.area === area);
    console.log(`${area}: ${ofArea.filter(({ differences }) => differences.length === 0).length} of ${ofArea.length}`);
  }
  const quirks = outcomes.filter(({ case: { quirk } }) => quirk);
  for (const { case: { area, name }, differences } of quirks) {
    console.log(`quirk ${area}/${name}: ${differences.length === 0 ? 'as n8n' : `differs: ${differences[0] ?? ''}`}`);
  }
  if (values.crash) console.log(`died at ${crashes} points`);
  console.log(`${judged.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
