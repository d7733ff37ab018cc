import { expect, test } from '@jest/globals';
import { codeLines, coverageByFolder, coverageTable, type CoverageReport } from './coverage.ts';

const file = (counts: readonly number[]): CoverageReport[string] => ({
  statementMap: Object.fromEntries(counts.map((_, index) => [String(index), { start: { line: index + 1 } }])),
  s: Object.fromEntries(counts.map((count, index) => [String(index), count])),
});
const five = 'a();\nb();\nc();\nd();\ne();';

test('a line counts when one of the runs reached it, and folders are told apart', () => {
  const unit = { '/p/api/a.ts': file([1, 0, 0, 0]), '/p/store/s.ts': file([0, 0]) };
  const integration = { '/p/api/a.ts': file([0, 3, 0, 1]), '/p/apish/x.ts': file([0, 0]) };
  const folders = coverageByFolder([unit, integration], new Map([['/p/api/a.ts', 'a();\nb();\nc();\nd();'], ['/p/store/s.ts', 'a();\nb();']]), '/p');
  expect(folders).toContainEqual({ folder: 'api', lines: 4, covered: 3, percent: 75, least: 80 });
  expect(folders).toContainEqual({ folder: 'store', lines: 2, covered: 0, percent: 0, least: 80 });
});

test('types, comments and empty lines do not count', () => {
  const source = ['import type { A } from "./a.ts";', '', '/**', ' * What it is.', ' */', 'export interface B { a: A }', '// why', 'export const b: B = { a: 1 };'].join('\n');
  expect([...codeLines(source)]).toEqual([8]);
});

test('a folder without any report is not covered', () => {
  expect(coverageByFolder([], new Map(), '/p').every(({ percent }) => percent === 0)).toBe(true);
});

test('the table says what is too little', () => {
  const reports = [{ '/p/api/a.ts': file([1, 1, 1, 1, 0]), '/p/store/s.ts': file([0]) }];
  const table = coverageTable(coverageByFolder(reports, new Map([['/p/api/a.ts', five], ['/p/store/s.ts', 'a();']]), '/p'));
  expect(table).toMatch(/api +80\.0 % +4 of 5 lines +at least 80 %/);
  expect(table).toMatch(/store +0\.0 % .*less than 80 %/);
});
