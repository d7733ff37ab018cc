import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { getField } from '../dot-path.ts';
import { mapItemsInTurn } from '../item-errors.ts';
import { asText } from '../json-value.ts';
import { extensionOf, mimeTypeOf, sniffMimeType } from '../mime-types.ts';
import { flagParameter, textParameter } from '../parameter-value.ts';
import { writeCsv } from '../spreadsheet/csv.ts';
import { writeHtmlTable } from '../spreadsheet/html-table.ts';
import { writeOds } from '../spreadsheet/ods.ts';
import { sheetOf, type Sheet } from '../spreadsheet/rows.ts';
import { writeRtf } from '../spreadsheet/rtf-table.ts';
import { writeXlsx } from '../spreadsheet/xlsx.ts';
import { calendarFile } from './calendar.ts';
import { encodeText } from './encoding.ts';

interface FileContent { bytes: Uint8Array; mimeType: string; defaultName: string }

async function fileItem(context: NodeContext, content: FileContent, index: number): Promise<Pick<Item, 'json' | 'binary'>> {
  const fileName = textParameter(context, 'options.fileName', index) || content.defaultName;
  const fileExtension = extensionOf(fileName, content.mimeType);
  const file = await context.binaries.put(content.bytes, { mimeType: content.mimeType, fileName, ...(fileExtension && { fileExtension }) });
  return { json: {}, binary: { [textParameter(context, 'binaryPropertyName', index, 'data')]: file } };
}

interface SheetFormat {
  mimeType: string;
  extension: string;
  write(sheet: Sheet, options: { sheetName: string; compress: boolean; delimiter: string }): string | Uint8Array;
}

const SHEET_FORMATS: Readonly<Record<string, SheetFormat>> = {
  csv: { mimeType: 'text/csv', extension: 'csv', write: (sheet, { delimiter }) => writeCsv(sheet, delimiter) },
  html: { mimeType: 'text/html', extension: 'html', write: (sheet, { sheetName }) => writeHtmlTable(sheet, sheetName) },
  ods: { mimeType: 'application/vnd.oasis.opendocument.spreadsheet', extension: 'ods', write: writeOds },
  rtf: { mimeType: 'application/rtf', extension: 'rtf', write: writeRtf },
  xlsx: { mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', extension: 'xlsx', write: writeXlsx },
};

const allPairs = (context: NodeContext): { item: number }[] => context.input().map((_, item) => ({ item }));

/** All items as one file with rows. */
async function sheetFile(context: NodeContext, format: SheetFormat): Promise<Item[]> {
  const sheet = sheetOf(context.input(), flagParameter(context, 'options.headerRow', 0, true));
  const written = format.write(sheet, {
    sheetName: textParameter(context, 'options.sheetName', 0) || 'Sheet', compress: flagParameter(context, 'options.compression', 0),
    delimiter: textParameter(context, 'options.delimiter', 0) || ',',
  });
  const bytes = typeof written === 'string' ? Buffer.from(written) : written;
  return [{ ...await fileItem(context, { bytes, mimeType: format.mimeType, defaultName: `spreadsheet.${format.extension}` }, 0), pairedItem: allPairs(context) }];
}

function jsonContent(context: NodeContext, value: unknown, index: number): FileContent {
  const text = JSON.stringify(value, null, flagParameter(context, 'options.format', index) ? 2 : undefined);
  const bytes = encodeText(text, textParameter(context, 'options.encoding', index) || 'utf8', flagParameter(context, 'options.addBOM', index));
  return { bytes, mimeType: 'application/json', defaultName: 'file.json' };
}

async function jsonFiles(context: NodeContext): Promise<Item[]> {
  if (context.parameter('mode', 0, 'once') === 'once') {
    return [{ ...await fileItem(context, jsonContent(context, context.input().map(({ json }) => json), 0), 0), pairedItem: allPairs(context) }];
  }
  return perItem(context, (item, index) => jsonContent(context, item.json, index));
}

const perItem = (context: NodeContext, make: (item: Item, index: number) => FileContent): Promise<Item[]> =>
  mapItemsInTurn(context, async (item, index) => ({ ...await fileItem(context, make(item, index), index), pairedItem: { item: index } }));

/** The value of the named field. Throws WorkflowError FieldMissing. */
function sourceValue(context: NodeContext, item: Item, index: number): unknown {
  const field = textParameter(context, 'sourceProperty', index);
  const value = getField(item.json, field);
  if (value !== undefined) return value;
  throw new WorkflowError('FieldMissing', `Item ${index} has no field '${field}'. Check its name.`, { parameter: 'sourceProperty', itemIndex: index });
}

function textContent(context: NodeContext, item: Item, index: number): FileContent {
  const encoding = textParameter(context, 'options.encoding', index) || 'utf8';
  const mimeType = mimeTypeOf(textParameter(context, 'options.fileName', index)) ?? 'text/plain';
  return { bytes: encodeText(asText(sourceValue(context, item, index)), encoding, flagParameter(context, 'options.addBOM', index)), mimeType, defaultName: 'file.txt' };
}

function decodedContent(context: NodeContext, item: Item, index: number): FileContent {
  const text = asText(sourceValue(context, item, index));
  const plain = context.parameter('options.dataIsBase64', index, true) === false;
  const [, declared, payload] = /^data:([^;,]+)?(?:;[^,]*)?,(.*)$/s.exec(text) ?? [];
  const bytes = plain ? encodeText(text, textParameter(context, 'options.encoding', index) || 'utf8', flagParameter(context, 'options.addBOM', index)) : Buffer.from(payload ?? text, 'base64');
  const mimeType = textParameter(context, 'options.mimeType', index) || declared || mimeTypeOf(textParameter(context, 'options.fileName', index)) || sniffMimeType(bytes) || (plain ? 'text/plain' : 'application/octet-stream');
  const extension = extensionOf(undefined, mimeType);
  return { bytes, mimeType, defaultName: extension ? `file.${extension}` : 'file' };
}

function run(context: NodeContext): Promise<Item[]> {
  const operation = textParameter(context, 'operation', 0, 'csv');
  switch (operation) {
    case 'toJson': return jsonFiles(context);
    case 'toText': return perItem(context, (item, index) => textContent(context, item, index));
    case 'toBinary': return perItem(context, (item, index) => decodedContent(context, item, index));
    case 'iCal': return perItem(context, (_, index) => ({ bytes: Buffer.from(calendarFile(context, index)), mimeType: 'text/calendar', defaultName: 'event.ics' }));
    case 'xls': throw new WorkflowError('NotSupported', 'The old .xls format is not supported. Convert to .xlsx, which Excel has read since 2007.', { parameter: 'operation', nonRetryable: true });
    default: {
      const format = SHEET_FORMATS[operation];
      if (format) return sheetFile(context, format);
      throw new WorkflowError('UnknownOperator', `Convert to File has no operation "${operation}".`, { parameter: 'operation', nonRetryable: true });
    }
  }
}

/** Makes files of items. */
export const convertToFileNode: NodeType = {
  type: 'convertToFile', displayName: 'Convert to File', group: 'data', versions: [1, 1.1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Makes a file of the items: a spreadsheet, JSON, text, a calendar event, or the bytes of a base64 text.',
  parameters: [
    { name: 'operation', type: 'options', options: [...Object.keys(SHEET_FORMATS), 'iCal', 'toJson', 'toText', 'toBinary'], default: 'csv', description: 'What to make. csv, html, ods, rtf and xlsx hold all items as rows; iCal, toText and toBinary make a file per item.' },
    { name: 'binaryPropertyName', type: 'string', default: 'data', description: 'The property for the file.' },
    { name: 'mode', type: 'options', options: ['once', 'each'], default: 'once', description: 'toJson: all items in one file, or a file per item.' },
    { name: 'sourceProperty', type: 'string', description: 'toText and toBinary: the field with the text.' },
    { name: 'title', type: 'string', description: 'iCal: the title of the event.' },
    { name: 'start', type: 'dateTime', description: 'iCal: when it starts.' },
    { name: 'end', type: 'dateTime', description: 'iCal: when it ends; the start when left out.' },
    { name: 'allDay', type: 'boolean', default: false, description: 'iCal: whole days.' },
    { name: 'additionalFields', type: 'collection', default: {}, description: 'iCal: `description`, `location`, `url`, `status`, `sequence`, `recurrenceRule`, `busyStatus`, `calendarName`, `uid`, `geolocationUi.geolocationValues` {lat, lon}, `organizerUi.organizerValues` {name, email}, `attendeesUi.attendeeValues` [{name, email, rsvp}], `useWorkflowTimezone`.' },
    { name: 'options', type: 'collection', default: {}, description: '`fileName`; `headerRow` (on), `delimiter`, `sheetName`, `compression`: rows; `encoding`, `addBOM`: text; `format`: JSON with line breaks; `mimeType`, `dataIsBase64` (on): toBinary.' },
  ],
  execute: async (context) => [await run(context)],
};
