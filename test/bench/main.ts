/** `npm run bench -- NAME [--runs N] [--json FILE]`: runs a benchmark and prints its figures as a table. */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Figure } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import { figureTable } from './figure-table.ts';

const DEFAULT_RUNS = '5';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: DEFAULT_RUNS }, json: { type: 'string' } },
});
const chosen = benchmarks.find(({ name }) => name === positionals[0]);
const runs = Number(values.runs);

function usage(problem: string): never {
  const list = benchmarks.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n');
  console.error(`${problem}\n\nnpm run bench -- NAME [--runs N] [--json FILE]\n\n${list}`);
  process.exit(2);
}

if (!chosen) usage(positionals[0] === undefined ? 'Name a benchmark.' : `There is no benchmark '${positionals[0]}'.`);
if (!Number.isInteger(runs) || runs < 1) usage('--runs takes a whole number from 1.');

const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
console.log(`${chosen.name}: ${chosen.about}\n${machine}, median of ${runs}\n`);
const figures: Figure[] = await chosen.run({ runs, progress: (text) => console.error(`  ${text}`) });
console.log(figureTable(figures));
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ benchmark: chosen.name, machine, runs, at: new Date().toISOString(), figures }, null, 2)}\n`);
}
process.exit();
