import { findAll, parseDocument, textOf } from '../html/document.ts';
import { escapeText } from '../html/escape.ts';
import { asText } from '../json-value.ts';
import type { Sheet } from './rows.ts';

/** A page with one plain table. */
export function writeHtmlTable(sheet: Sheet, title: string): string {
  const rows = sheet.map((row) => `<tr>${row.map((cell) => `<td>${escapeText(asText(cell))}</td>`).join('')}</tr>`).join('');
  return `<!DOCTYPE html><html><head><meta charset="utf-8"/><title>${escapeText(title)}</title></head><body><table>${rows}</table></body></html>`;
}

/** The cells of the first table of a page, as text; numbers become numbers. */
export function readHtmlTable(html: string): Sheet {
  const [table] = findAll(parseDocument(html), 'table');
  if (!table) return [];
  return findAll(table, 'tr').map((row) => findAll(row, 'th, td').map((cell) => {
    const text = textOf(cell, '').trim();
    return text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
  }));
}
