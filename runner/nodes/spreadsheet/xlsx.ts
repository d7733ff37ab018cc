import { WorkflowError } from '../../engine/error.ts';
import { escapeText } from '../html/escape.ts';
import { pack, unpack } from './archive.ts';
import type { Cell, Sheet } from './rows.ts';
import { readXml } from './xml-reader.ts';

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const PART = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** 0 → A, 26 → AA. */
export function columnName(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : `${columnName(Math.floor(index / 26) - 1)}${last}`;
}

/** A → 0, AA → 26. */
export const columnIndex = (name: string): number => name.toUpperCase().split('').reduce((total, letter) => total * 26 + letter.charCodeAt(0) - 64, 0) - 1;

/** Characters that XML 1.0 cannot carry are dropped. */
const xmlText = (text: string): string => escapeText(text.replaceAll(/[\p{Cc}\uFFFE\uFFFF]/gu, (character) => ('\t\n\r'.includes(character) ? character : '')));

function cellXml(cell: Cell, reference: string): string {
  if (cell === null || cell === '') return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? `<c r="${reference}"><v>${cell}</v></c>` : '';
  if (typeof cell === 'boolean') return `<c r="${reference}" t="b"><v>${cell ? 1 : 0}</v></c>`;
  return `<c r="${reference}" t="inlineStr"><is><t xml:space="preserve">${xmlText(cell)}</t></is></c>`;
}

const rowXml = (row: readonly Cell[], index: number): string =>
  `<row r="${index + 1}">${row.map((cell, column) => cellXml(cell, `${columnName(column)}${index + 1}`)).join('')}</row>`;

/** Names of sheets have at most 31 characters and none of []:*?/\. */
const sheetTitle = (name: string): string => name.replaceAll(/[[\]:*?/\\]/g, ' ').slice(0, 31) || 'Sheet';

/** An Office Open XML workbook (ECMA-376) of one sheet. */
export function writeXlsx(sheet: Sheet, options: { sheetName: string; compress: boolean }): Uint8Array {
  return pack({
    '[Content_Types].xml': `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${PART}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${PART}.worksheet+xml"/></Types>`,
    '_rels/.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    'xl/workbook.xml': `${XML}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets><sheet name="${xmlText(sheetTitle(options.sheetName))}" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    'xl/worksheets/sheet1.xml': `${XML}<worksheet xmlns="${MAIN}"><sheetData>${sheet.map(rowXml).join('')}</sheetData></worksheet>`,
  }, { compress: options.compress });
}

/** The texts that cells refer to by number. Phonetic hints are no text. */
function sharedStrings(xml: string | undefined): string[] {
  const strings: string[] = [];
  let inText = false;
  let hints = 0;
  if (xml !== undefined) {
    readXml(xml, {
      open: (name) => {
        if (name === 'si') strings.push('');
        if (name === 'rPh') hints += 1;
        inText = name === 't' && hints === 0;
      },
      text: (text) => { if (inText) strings[strings.length - 1] += text; },
      close: (name) => {
        if (name === 'rPh') hints -= 1;
        if (name === 't') inText = false;
      },
    });
  }
  return strings;
}

/** The part that holds a sheet: the named one, or the first. */
function sheetPath(files: Readonly<Record<string, string>>, wanted: string): string {
  const sheets: { name: string; id: string }[] = [];
  readXml(files['xl/workbook.xml'] ?? '<none/>', { open: (name, { name: title, 'r:id': id }) => { if (name === 'sheet') sheets.push({ name: title ?? '', id: id ?? '' }); } });
  const targets = new Map<string, string>();
  readXml(files['xl/_rels/workbook.xml.rels'] ?? '<none/>', { open: (name, { Id, Target }) => { if (name === 'Relationship' && Id && Target) targets.set(Id, Target); } });
  const found = wanted === '' ? sheets[0] : sheets.find(({ name }) => name === wanted);
  const target = found && targets.get(found.id);
  if (target === undefined) {
    throw new WorkflowError('InvalidFile', wanted === '' ? 'The workbook has no sheet.' : `The workbook has no sheet '${wanted}'. It has ${sheets.map(({ name }) => `'${name}'`).join(', ')}.`, { nonRetryable: true });
  }
  return target.startsWith('/') ? target.slice(1) : `xl/${target}`;
}

function cellValue(type: string, text: string, strings: readonly string[]): Cell {
  if (type === 's') return strings[Number(text)] ?? null;
  if (type === 'b') return text === '1';
  if (type === 'inlineStr' || type === 'str' || type === 'e' || type === 'd') return text;
  return text === '' ? null : Number(text);
}

function sheetCells(xml: string, strings: readonly string[]): Cell[][] {
  const rows: Cell[][] = [];
  let at = { row: 0, column: -1, type: 'n' };
  let value = '';
  let inValue = false;
  readXml(xml, {
    open: (name, { r: reference, t: type }) => {
      if (name === 'row') at = { row: reference ? Number(reference) - 1 : rows.length, column: -1, type: 'n' };
      if (name === 'c') {
        const letters = /^[A-Za-z]+/.exec(reference ?? '')?.[0];
        at = { ...at, column: letters ? columnIndex(letters) : at.column + 1, type: type ?? 'n' };
        value = '';
      }
      inValue = name === 'v' || name === 't';
    },
    text: (text) => { if (inValue) value += text; },
    close: (name) => {
      inValue = false;
      if (name !== 'c') return;
      while (rows.length <= at.row) rows.push([]);
      const row = rows[at.row];
      if (!row) return;
      while (row.length < at.column) row.push(null);
      row[at.column] = cellValue(at.type, value, strings);
    },
  });
  return rows;
}

/** The cells of one sheet; dates are Excel's day numbers. Throws WorkflowError InvalidFile. */
export function readXlsx(bytes: Uint8Array, sheetName: string): Sheet {
  const files = unpack(bytes, (name) => /^xl\/(workbook\.xml|_rels\/workbook\.xml\.rels|sharedStrings\.xml|worksheets\/[^/]+\.xml)$/.test(name));
  return sheetCells(files[sheetPath(files, sheetName)] ?? '<none/>', sharedStrings(files['xl/sharedStrings.xml']));
}
