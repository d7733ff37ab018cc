import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { binaries } from './cluster/build.ts';
import { LocalCluster } from './cluster/local-cluster.ts';
import { say, step } from './cluster/progress.ts';
import { CONTROL_PLANE_BINARIES } from './cluster/versions.ts';
import { COVERED_SOURCES, coverageByFolder, coverageTable, readCoverage, readSources } from './coverage.ts';
import { E2E_CLUSTER } from './e2e/millrace.ts';
import { full, runSeed } from './full.ts';
import { askForCoverage, readProcessCoverage } from './process-coverage.ts';
import { isJestPart, parseRunArguments, UsageError, type JestPart, type Part, type RunArguments } from './run-arguments.ts';
import { sum, tallyLine, tallyOfCheck, tallyOfJest, type Tally } from './tally.ts';

const root = join(import.meta.dirname, '..');
const tool = (name: string): string => join(root, 'node_modules', '.bin', name);

/** A test that takes this long hangs; on a busy machine the usual five seconds say nothing. Tests that need longer say so. */
const HANG_MS = 60_000;

/** The parts whose coverage counts, and where each leaves it. */
const COVERING: readonly JestPart[] = ['unit', 'integration'];
const coverageFolder = (part: JestPart): string => join(root, 'coverage', part);
const PROCESS_COVERAGE = join(root, 'coverage', 'processes');

/** The commands of the parts that are not run by jest. */
const CHECKS: Record<Exclude<Part, JestPart | 'coverage'>, readonly string[]> = {
  lint: [tool('oxlint'), '--type-aware', '--deny-warnings'],
  typecheck: [tool('tsc')],
  generated: [process.execPath, join(root, 'crds', 'generate.ts'), '--check'],
};

/** Runs a command with its output going to ours, and answers whether it exited with 0. */
async function passes(command: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
  const [code] = await once(child, 'exit');
  return code === 0;
}

async function runJest(part: JestPart, { parts, names }: RunArguments): Promise<Tally> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  try {
    const report = join(dir, 'report.json');
    const isCovering = parts.includes('coverage') && COVERING.includes(part);
    const options = ['--selectProjects', part, '--json', `--outputFile=${report}`, `--testTimeout=${HANG_MS}`, ...workers(part), ...(isCovering ? coverageOptions(part) : [])];
    const asked = isCovering ? await askForCoverage(PROCESS_COVERAGE) : {};
    const nodeOptions = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
    const passed = await passes([tool('jest'), ...options, '--', ...names], { NODE_OPTIONS: nodeOptions, ...asked });
    const tally = tallyOfJest(await readFile(report, 'utf8').catch(() => undefined));
    // Jest also fails for reasons that are no test's, such as a name that matches no file.
    return passed || tally.failed > 0 ? tally : sum([tally, tallyOfCheck(false)]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function coverageOptions(part: JestPart): string[] {
  const sources = COVERED_SOURCES.map((glob) => `--collectCoverageFrom=${glob}`);
  return ['--coverage', '--coverageProvider=v8', '--coverageReporters=json', `--coverageDirectory=${coverageFolder(part)}`, ...sources];
}

/** What unit and integration tests executed, with the processes they started that ended by themselves. */
async function checkCoverage(): Promise<boolean> {
  const reports = [...(await readCoverage(COVERING.map(coverageFolder))), ...(await readProcessCoverage(PROCESS_COVERAGE, root))];
  const folders = coverageByFolder(reports, await readSources(reports), root);
  process.stdout.write(coverageTable(folders));
  return folders.every(({ percent, least }) => percent >= least);
}

/** End-to-end tests share one cluster; the others mostly wait for servers. */
function workers(part: JestPart): string[] {
  return part === 'e2e' ? ['--runInBand'] : ['--maxWorkers=2'];
}

async function runPart(part: Part, args: RunArguments): Promise<Tally> {
  if (part === 'coverage') return tallyOfCheck(await checkCoverage());
  if (!isJestPart(part)) return tallyOfCheck(await passes(CHECKS[part]));
  if (part === 'integration' || part === 'soak') await binaries(CONTROL_PLANE_BINARIES);
  if (part !== 'e2e') return runJest(part, args);
  const cluster = await LocalCluster.open(E2E_CLUSTER);
  try {
    await step('Bringing up the cluster', () => cluster.up());
    return await runJest(part, args);
  } finally {
    if (args.keep) say(`The cluster stays: KUBECONFIG=${cluster.kubeconfig}`);
    else await step('Removing the cluster', () => cluster.down());
  }
}

/** A part that throws has failed; the parts after it still run. */
async function runToTheEnd(part: Part, args: RunArguments): Promise<Tally> {
  try {
    return await step(part, () => runPart(part, args));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return tallyOfCheck(false);
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const args = parseRunArguments(argv);
  if (args.parts.includes('coverage')) await rm(join(root, 'coverage'), { recursive: true, force: true });
  // One seed for all processes of the run.
  process.env['MILLRACE_TEST_SEED'] = String(runSeed);
  say(full ? `Trying everything (seed ${String(runSeed)})` : `Trying samples of the long matrices with MILLRACE_TEST_SEED=${String(runSeed)}; npm run test:full tries all`);
  const tallies: Tally[] = [];
  for (const part of args.parts) {
    const tally = await runToTheEnd(part, args);
    say(`${part}: ${tallyLine(tally)}`);
    tallies.push(tally);
  }
  const total = sum(tallies);
  process.stdout.write(`${tallyLine(total)}\n`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
