import { WorkflowError } from '../../engine/error.ts';
import { escapeText } from '../html/escape.ts';
import { pack, unpack } from './archive.ts';
import type { Cell, Sheet } from './rows.ts';
import { readXml } from './xml-reader.ts';

const MIME = 'application/vnd.oasis.opendocument.spreadsheet';
const OASIS = 'urn:oasis:names:tc:opendocument:xmlns';
const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Repeated cells and rows beyond this are the empty rest of a sheet. */
const MAX_REPEAT = 10_000;

function cellXml(cell: Cell): string {
  if (cell === null || cell === '') return '<table:table-cell/>';
  const shown = `<text:p>${escapeText(typeof cell === 'boolean' ? String(cell).toUpperCase() : String(cell)).replaceAll('\n', '</text:p><text:p>')}</text:p>`;
  if (typeof cell === 'number') return `<table:table-cell office:value-type="float" office:value="${cell}">${shown}</table:table-cell>`;
  if (typeof cell === 'boolean') return `<table:table-cell office:value-type="boolean" office:boolean-value="${cell}">${shown}</table:table-cell>`;
  return `<table:table-cell office:value-type="string">${shown}</table:table-cell>`;
}

/** An OpenDocument spreadsheet (ISO/IEC 26300) of one table. */
export function writeOds(sheet: Sheet, options: { sheetName: string; compress: boolean }): Uint8Array {
  const rows = sheet.map((row) => `<table:table-row>${row.map(cellXml).join('')}</table:table-row>`).join('');
  return pack({
    // The type comes first and is not compressed, so that it can be read off the file.
    mimetype: MIME,
    'content.xml': `${XML}<office:document-content xmlns:office="${OASIS}:office:1.0" xmlns:table="${OASIS}:table:1.0" xmlns:text="${OASIS}:text:1.0" office:version="1.2"><office:body><office:spreadsheet><table:table table:name="${escapeText(options.sheetName)}">${rows}</table:table></office:spreadsheet></office:body></office:document-content>`,
    'META-INF/manifest.xml': `${XML}<manifest:manifest xmlns:manifest="${OASIS}:manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="${MIME}"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>`,
  }, { compress: options.compress, stored: ['mimetype'] });
}

const repeats = (count: string | undefined): number => {
  const times = Number(count ?? 1);
  return times > MAX_REPEAT ? 1 : times;
};

function cellValue(attributes: Readonly<Record<string, string>>, text: string): Cell {
  const type = attributes['office:value-type'];
  if (type === 'float' || type === 'percentage' || type === 'currency') return Number(attributes['office:value']);
  if (type === 'boolean') return attributes['office:boolean-value'] === 'true';
  if (type === 'date') return attributes['office:date-value'] ?? text;
  return text === '' ? null : text;
}

/** The cells of one table; dates are ISO 8601 text. Throws WorkflowError InvalidFile. */
export function readOds(bytes: Uint8Array, sheetName: string): Sheet {
  const { 'content.xml': xml } = unpack(bytes, (name) => name === 'content.xml');
  const rows: Cell[][] = [];
  let tables = 0;
  let active = false;
  let row: Cell[] = [];
  let rowRepeat = 1;
  let cell: Readonly<Record<string, string>> = {};
  let paragraphs: string[] = [];
  readXml(xml ?? '<none/>', {
    open: (name, attributes) => {
      if (name === 'table:table') {
        tables += 1;
        active = sheetName === '' ? tables === 1 : attributes['table:name'] === sheetName;
      } else if (name === 'table:table-row') {
        row = [];
        rowRepeat = repeats(attributes['table:number-rows-repeated']);
      } else if (name === 'table:table-cell' || name === 'table:covered-table-cell') {
        cell = attributes;
        paragraphs = [];
      } else if (name === 'text:p') paragraphs.push('');
    },
    text: (text) => { if (paragraphs.length > 0) paragraphs[paragraphs.length - 1] += text; },
    close: (name) => {
      if (!active) return;
      if (name === 'table:table-cell' || name === 'table:covered-table-cell') {
        const value = cellValue(cell, paragraphs.join('\n'));
        for (let times = repeats(cell['table:number-columns-repeated']); times > 0; times--) row.push(value);
      }
      if (name === 'table:table-row') for (let times = rowRepeat; times > 0; times--) rows.push(row);
      if (name === 'table:table') active = false;
    },
  });
  if (rows.length > 0 || sheetName === '') return rows;
  throw new WorkflowError('InvalidFile', `The spreadsheet has no table '${sheetName}', or it is empty.`, { nonRetryable: true });
}
