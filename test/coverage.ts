import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join, relative } from 'node:path';

/** What must be covered, by top-level folder, in percent of lines. */
export const LEAST_COVERED = { operator: 80, runner: 80, api: 80, store: 80, webhooks: 80 } as const;

/** Globs of the sources that count: everything in these folders but tests and what only tests use. */
export const COVERED_SOURCES = [
  `{${Object.keys(LEAST_COVERED).join(',')}}/**/*.ts`,
  '!**/*.test.ts',
  '!**/{testing,testdata,example,escape}/**',
  '!**/main.ts',
] as const;

/** The part of Istanbul's format that is read: with V8's counts, a statement is a line. */
export type CoverageReport = Readonly<Record<string, { statementMap: Record<string, { start: { line: number } }>; s: Record<string, number> }>>;

export interface FolderCoverage {
  readonly folder: string;
  readonly lines: number;
  readonly covered: number;
  readonly percent: number;
  readonly least: number;
}

/** Numbers of the lines that are executed: without types, which only the compiler reads, and without comments. */
export function codeLines(source: string): Set<number> {
  const lines = stripTypeScriptTypes(source).split('\n').map((line) => line.trim());
  return new Set(lines.flatMap((line, index) => (line === '' || /^(?:\/\/|\/\*|\*)/.test(line) ? [] : [index + 1])));
}

/**
 * Coverage by folder of what several runs executed together: a line counts as covered when one of them reached it. `sources` are the
 * texts of the files by path.
 */
export function coverageByFolder(reports: readonly CoverageReport[], sources: ReadonlyMap<string, string>, root: string): FolderCoverage[] {
  const files = new Map<string, Map<number, boolean>>();
  for (const [path, { statementMap, s }] of reports.flatMap((report) => Object.entries(report))) {
    const lines = files.get(path) ?? new Map<number, boolean>();
    for (const [id, { start }] of Object.entries(statementMap)) lines.set(start.line, (lines.get(start.line) ?? false) || (s[id] ?? 0) > 0);
    files.set(path, lines);
  }
  return Object.entries(LEAST_COVERED).map(([folder, least]) => {
    const reached = [...files].filter(([path]) => relative(root, path).startsWith(`${folder}/`)).flatMap(([path, lines]) => [...codeLines(sources.get(path) ?? '')].map((line) => lines.get(line) === true));
    const covered = reached.filter(Boolean).length;
    return { folder, least, covered, lines: reached.length, percent: reached.length === 0 ? 0 : (100 * covered) / reached.length };
  });
}

/** Reads what jest wrote to these folders. Throws when a run left no report. */
export async function readCoverage(folders: readonly string[]): Promise<CoverageReport[]> {
  return Promise.all(folders.map(async (folder) => JSON.parse(await readFile(join(folder, 'coverage-final.json'), 'utf8')) as CoverageReport));
}

/** The texts of all files in the reports, by path. */
export async function readSources(reports: readonly CoverageReport[]): Promise<Map<string, string>> {
  const paths = new Set(reports.flatMap((report) => Object.keys(report)));
  return new Map(await Promise.all([...paths].map(async (path) => [path, await readFile(path, 'utf8')] as const)));
}

/** One line per folder. */
export function coverageTable(folders: readonly FolderCoverage[]): string {
  return folders.map(({ folder, percent, least, covered, lines }) =>
    `  ${folder.padEnd(10)}${percent.toFixed(1).padStart(6)} %  ${`${String(covered)} of ${String(lines)} lines`.padEnd(24)}${percent < least ? `less than ${String(least)} %` : `at least ${String(least)} %`}\n`).join('');
}
