import { WorkflowError } from '../../engine/error.ts';
import type { BinaryReference, Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { Compat } from '../../engine/workflow.ts';
import { binaryFrom } from '../binary-property.ts';
import { pathKeys, setPath } from '../dot-path.ts';
import { mapItemsInTurn } from '../item-errors.ts';
import { parseJson } from '../json-text.ts';
import { flagParameter, numberParameter, textParameter } from '../parameter-value.ts';
import { readCsv } from '../spreadsheet/csv.ts';
import { readHtmlTable } from '../spreadsheet/html-table.ts';
import { readOds } from '../spreadsheet/ods.ts';
import { jsonOf, type Sheet } from '../spreadsheet/rows.ts';
import { readRtf } from '../spreadsheet/rtf-table.ts';
import { readXlsx } from '../spreadsheet/xlsx.ts';
import { readCalendar } from './calendar.ts';

/** One item's file, read. */
interface Source { item: Item; index: number; file: BinaryReference; bytes: Uint8Array }

/** PDFs are read elsewhere, and their bytes go there without coming here. */
const NO_BYTES = new Uint8Array();

/** The file as text. Throws WorkflowError UnknownEncoding. */
function textOf(context: NodeContext, { bytes, index }: Source, keepBom = false): string {
  const encoding = textParameter(context, 'options.encoding', index) || 'utf-8';
  try {
    return new TextDecoder(encoding === 'utf8' ? 'utf-8' : encoding, { ignoreBOM: keepBom }).decode(bytes);
  } catch (cause) {
    throw new WorkflowError('UnknownEncoding', `Files cannot be read in the encoding '${encoding}'. Use a name of the WHATWG Encoding Standard such as utf-8 or windows-1252.`, { parameter: 'options.encoding', nonRetryable: true, cause });
  }
}

function csvSheet(context: NodeContext, source: Source): Sheet {
  const { index } = source;
  const maxRows = numberParameter(context, 'options.maxRowCount', index, -1);
  const header = flagParameter(context, 'options.headerRow', index, true) ? 1 : 0;
  return readCsv(textOf(context, source, true), {
    delimiter: textParameter(context, 'options.delimiter', index) || ',',
    // n8n leaves the mark in the first header's name unless told otherwise.
    stripBom: context.compat === Compat.Millrace || flagParameter(context, 'options.enableBOM', index),
    relaxQuotes: flagParameter(context, 'options.relaxQuotes', index), fromLine: Math.max(1, numberParameter(context, 'options.fromLine', index, 1)),
    maxRows: maxRows < 0 ? undefined : maxRows + header, skipBroken: flagParameter(context, 'options.skipRecordsWithErrors', index),
  });
}

const sheetName = (context: NodeContext, index: number): string => textParameter(context, 'options.sheetName', index);

const SHEETS: Readonly<Record<string, (context: NodeContext, source: Source) => Sheet>> = {
  csv: csvSheet,
  html: (context, source) => readHtmlTable(textOf(context, source)),
  ods: (context, { bytes, index }) => readOds(bytes, sheetName(context, index)),
  rtf: (_, { bytes }) => readRtf(Buffer.from(bytes).toString('latin1')),
  xlsx: (context, { bytes, index }) => readXlsx(bytes, sheetName(context, index)),
  // Files of this name are often the newer format.
  xls: (context, { bytes, index }) => readXlsx(bytes, sheetName(context, index)),
};

/** What goes below the destination field. */
const VALUES: Readonly<Record<string, (context: NodeContext, source: Source) => unknown>> = {
  text: (context, source) => textOf(context, source, context.parameter('options.stripBOM', source.index, true) === false),
  xml: (context, source) => textOf(context, source),
  binaryToPropery: (_, { bytes }) => Buffer.from(bytes).toString('base64'),
  fromIcs: (context, source) => readCalendar(textOf(context, source)),
  fromJson: (context, source) => {
    const text = textOf(context, source);
    const value = text.trim() === '' ? {} : parseJson(text);
    if (value !== undefined) return value;
    throw new WorkflowError('InvalidJson', 'The file is not JSON.', { itemIndex: source.index });
  },
};

/** What of the input item goes on beside the extracted value. */
function kept(context: NodeContext, { item, index }: Source): Pick<Item, 'json' | 'binary'> {
  const keep = textParameter(context, 'options.keepSource', index);
  const result: Pick<Item, 'json' | 'binary'> = { json: keep === 'json' || keep === 'both' ? { ...item.json } : {} };
  if ((keep === 'binary' || keep === 'both') && item.binary) result.binary = item.binary;
  return result;
}

async function pdfJson(context: NodeContext, { file, index }: Source): Promise<JsonObject> {
  const maxPages = numberParameter(context, 'options.maxPages', index, 0);
  const content = await context.readPdf(file, { password: textParameter(context, 'options.password', index), ...(maxPages > 0 && { maxPages }) });
  const joined = flagParameter(context, 'options.joinPages', index, true);
  return {
    numpages: content.pageCount, numrender: content.pages.length, info: content.info, metadata: content.metadata,
    text: joined ? content.pages.join('\n\n') : content.pages,
  };
}

async function extract(context: NodeContext, operation: string, source: Source): Promise<Item[]> {
  const pairedItem = { item: source.index };
  const sheet = SHEETS[operation];
  if (sheet) {
    const options = { headerRow: flagParameter(context, 'options.headerRow', source.index, true), includeEmpty: flagParameter(context, 'options.includeEmptyCells', source.index) };
    return jsonOf(sheet(context, source), options).map((json) => ({ json, pairedItem }));
  }
  const result = kept(context, source);
  if (operation === 'pdf') return [{ ...result, json: { ...result.json, ...await pdfJson(context, source) }, pairedItem }];
  const value = VALUES[operation];
  if (!value) throw new WorkflowError('UnknownOperator', `Extract from File has no operation "${operation}".`, { parameter: 'operation', nonRetryable: true });
  setPath(result.json, pathKeys(textParameter(context, 'destinationKey', source.index, 'data')), value(context, source));
  return [{ ...result, pairedItem }];
}

/** Reads files beside items. */
export const extractFromFileNode: NodeType = {
  type: 'extractFromFile', displayName: 'Extract from File', group: 'data', versions: [1, 1.1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Reads a file of an item: rows of a spreadsheet as items, or JSON, text, a calendar or a PDF into fields.',
  parameters: [
    { name: 'operation', type: 'options', options: [...Object.keys(SHEETS), ...Object.keys(VALUES), 'pdf'], default: 'csv', description: 'What the file is. binaryToPropery gives its bytes as base64. .xls files are read only when they are .xlsx inside.' },
    { name: 'binaryPropertyName', type: 'string', default: 'data', description: 'The property of the file.' },
    { name: 'destinationKey', type: 'string', default: 'data', description: 'The field for JSON, text, XML text, a calendar or base64; may be a dotted path.' },
    { name: 'options', type: 'collection', default: {}, description: '`encoding`; `stripBOM` (on); `keepSource`: json, binary or both of the input. Rows: `headerRow` (on), `includeEmptyCells`, `sheetName`. csv: `delimiter`, `fromLine`, `maxRowCount`, `relaxQuotes`, `skipRecordsWithErrors`, `enableBOM`. pdf: `joinPages` (on), `maxPages`, `password`.' },
  ],
  execute: async (context) => [await mapItemsInTurn(context, async (item, index) => {
    const file = binaryFrom(item, textParameter(context, 'binaryPropertyName', index, 'data'), index);
    const operation = textParameter(context, 'operation', index, 'csv');
    return extract(context, operation, { item, index, file, bytes: operation === 'pdf' ? NO_BYTES : await context.binaries.get(file) });
  })],
};
