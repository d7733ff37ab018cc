import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CoverageReport } from './coverage.ts';

/** Where processes that tests start leave what they executed, when it is asked for. */
const FOLDER = 'MILLRACE_PROCESS_COVERAGE';

/** Environment with which a process that a test starts tells what it executed, if it ends by itself. */
export function tellsCoverage(): Record<string, string> {
  const folder = process.env[FOLDER];
  return folder === undefined ? {} : { NODE_V8_COVERAGE: folder };
}

/** Environment of a test run whose processes shall tell. */
export async function askForCoverage(folder: string): Promise<Record<string, string>> {
  await mkdir(folder, { recursive: true });
  return { [FOLDER]: folder };
}

/** What V8 writes: ranges of characters, those of inner blocks after those around them. */
interface V8Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[] }[];
}

/** Which lines were executed, from 0. Types are blanked out before a file runs, so the offsets are those of the file. */
export function executedLines(source: string, functions: V8Script['functions']): boolean[] {
  const executed = new Uint8Array(source.length);
  const ranges = functions.flatMap((each) => each.ranges).toSorted((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of ranges) executed.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  let offset = 0;
  return source.split('\n').map((line) => {
    const start = offset + line.search(/\S|$/);
    offset += line.length + 1;
    return executed.subarray(start, offset - 1).includes(1);
  });
}

/** What the processes told of the sources below `root`. */
export async function readProcessCoverage(folder: string, root: string): Promise<CoverageReport[]> {
  const files = await readdir(folder).catch(() => []);
  const reports: CoverageReport[] = [];
  for (const file of files) {
    const { result } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { result: V8Script[] };
    const own = result.filter(({ url }) => url.startsWith(`file://${root}/`) && !url.includes('/node_modules/') && url.endsWith('.ts'));
    reports.push(Object.fromEntries(await Promise.all(own.map(async ({ url, functions }) => {
      const path = fileURLToPath(url);
      return [path, asReport(executedLines(await readFile(path, 'utf8'), functions))] as const;
    }))));
  }
  return reports;
}

function asReport(lines: readonly boolean[]): CoverageReport[string] {
  return {
    statementMap: Object.fromEntries(lines.map((_, index) => [String(index), { start: { line: index + 1 } }])),
    s: Object.fromEntries(lines.map((isExecuted, index) => [String(index), isExecuted ? 1 : 0])),
  };
}
