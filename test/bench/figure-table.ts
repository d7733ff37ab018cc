import type { Figure } from './benchmark.ts';

function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

function verdict({ value, target }: Figure): string {
  if (!target) return '';
  const met = 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
  const bound = 'atMost' in target ? `≤ ${number(target.atMost)}` : `≥ ${number(target.atLeast)}`;
  return `${bound} ${met ? 'met' : 'MISSED'}`;
}

/** Figures in aligned columns: name, value with unit, target with verdict, and what stands beside it. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name, `${number(figure.value)} ${figure.unit}`, verdict(figure), figure.beside ? `${figure.beside.name}: ${number(figure.beside.value)} ${figure.unit}` : '',
  ]);
  const table = [['figure', 'value', 'target', 'beside it'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}
