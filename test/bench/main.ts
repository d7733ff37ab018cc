/** `npm run bench -- NAME [--runs N] [--json FILE] [--FLAG N…]`: runs a benchmark and prints its figures as a table. */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Benchmark, Figure } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import { figureTable } from './figure-table.ts';

const DEFAULT_RUNS = 5;

const [wanted] = process.argv.slice(2);
const chosen = benchmarks.find(({ name }) => name === wanted);

function usage(problem: string): never {
  const flagsOf = ({ flags = {} }: Benchmark): string => Object.entries(flags).map(([name, value]) => ` [--${name} ${value}]`).join('');
  const list = benchmarks.map((each) => `  ${`${each.name}${each.once ? '*' : ''}`.padEnd(12)} ${each.about}${flagsOf(each)}`).join('\n');
  console.error(`${problem}\n\nnpm run bench -- NAME [--runs N] [--json FILE]     --runs: not for those marked *\n\n${list}`);
  process.exit(2);
}

if (!chosen) usage(wanted === undefined ? 'Name a benchmark.' : `There is no benchmark '${wanted}'.`);

const known = { ...(chosen.once ? {} : { runs: DEFAULT_RUNS }), ...chosen.flags };
const values = parsed(['json', ...Object.keys(known)]);
const { runs = 1, ...flags } = Object.fromEntries(Object.entries(known).map(([name, value]) => [name, wholeNumber(name) ?? value])) as { runs?: number } & Record<string, number>;

function parsed(options: readonly string[]): Record<string, string | undefined> {
  try {
    return parseArgs({ args: process.argv.slice(3), options: Object.fromEntries(options.map((name) => [name, { type: 'string' as const }])) }).values;
  } catch (error) {
    return usage((error as Error).message);
  }
}

/** Absent: not given. Some flags take 0 for "leave that out". */
function wholeNumber(name: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  const least = name === 'runs' ? 1 : 0;
  if (!Number.isInteger(value) || value < least) usage(`--${name} takes a whole number from ${least}.`);
  return value;
}

const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
console.log(`${chosen.name}: ${chosen.about}\n${machine}, ${chosen.once ? 'one run' : `median of ${runs}`}\n`);
const figures: Figure[] = await chosen.run({ runs, flags, progress: (text) => console.error(`  ${text}`) });
console.log(figureTable(figures));
if (values['json'] !== undefined) {
  writeFileSync(values['json'], `${JSON.stringify({ benchmark: chosen.name, machine, runs, at: new Date().toISOString(), figures }, null, 2)}\n`);
}
process.exit();
