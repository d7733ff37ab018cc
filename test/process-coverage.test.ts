import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { run } from './cluster/command.ts';
import { askForCoverage, executedLines, readProcessCoverage } from './process-coverage.ts';

test('inner ranges count for their own lines', () => {
  const source = 'a();\nif (b) {\n  c();\n}\nd();';
  expect(executedLines(source, [{ ranges: [{ startOffset: 0, endOffset: source.length, count: 1 }, { startOffset: 12, endOffset: 22, count: 0 }] }])).toEqual([true, true, false, false, true]);
});

test('a process tells which lines of a file below the root it executed', async () => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-coverage-'));
  try {
    const file = join(root, 'a.ts');
    await writeFile(file, 'const x: number = Number(process.argv[2]);\nif (x > 1) {\n  console.log("large");\n}\n');
    const folder = join(root, 'told');
    await askForCoverage(folder);
    await run(process.execPath, [file, '1'], { env: { NODE_V8_COVERAGE: folder } });
    const [report] = await readProcessCoverage(folder, root);
    expect(report?.[file]?.s).toMatchObject({ 0: 1, 1: 1, 2: 0 });
  } finally {
    await rm(root, { recursive: true });
  }
});

test('a folder that is not there tells nothing', async () => {
  expect(await readProcessCoverage(join(tmpdir(), 'millrace-no-such-folder'), '/')).toEqual([]);
});
