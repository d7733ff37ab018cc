import type { Item, JsonObject } from '../../engine/item.ts';
import { isDateTime } from '../moment.ts';
import { asText } from '../json-value.ts';

/** What a spreadsheet cell can hold. */
export type Cell = string | number | boolean | null;

/** Cells row by row; the first row is the header when there is one. */
export type Sheet = readonly (readonly Cell[])[];

function flatten(value: unknown, path: string, into: Map<string, Cell>): void {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') into.set(path, value);
  else if (value instanceof Date) into.set(path, value.toISOString());
  else if (isDateTime(value)) into.set(path, value.toISO());
  else if (typeof value === 'object' && value !== null) for (const [key, entry] of Object.entries(value)) flatten(entry, path === '' ? key : `${path}.${key}`, into);
  else into.set(path, null);
}

/** Items as a sheet: a column per field, nested ones as `a.b`, in the order in which they appear. */
export function sheetOf(items: readonly Item[], headerRow: boolean): Sheet {
  const rows = items.map(({ json }) => {
    const cells = new Map<string, Cell>();
    flatten(json, '', cells);
    return cells;
  });
  const columns = [...new Set(rows.flatMap((cells) => [...cells.keys()]))];
  const body = rows.map((cells) => columns.map((column) => cells.get(column) ?? null));
  return headerRow ? [columns, ...body] : body;
}

export interface RowOptions { headerRow: boolean; includeEmpty: boolean }

const isEmpty = (cell: Cell | undefined): boolean => cell === undefined || cell === null || cell === '';

/** Names of the columns: empty headers are `__EMPTY`, a second `a` is `a_1`. */
function headers(row: readonly Cell[]): string[] {
  const taken = new Set<string>();
  return row.map((cell) => {
    const name = isEmpty(cell) ? '__EMPTY' : asText(cell);
    let free = name;
    for (let number = 1; taken.has(free); number++) free = `${name}_${number}`;
    taken.add(free);
    return free;
  });
}

/** A sheet as the JSON of items: objects by header, or lists under `row`. Empty rows are left out. */
export function jsonOf(sheet: Sheet, { headerRow, includeEmpty }: RowOptions): JsonObject[] {
  const filled = sheet.filter((row) => row.some((cell) => !isEmpty(cell)));
  if (!headerRow) return filled.map((row) => ({ row: [...row] }));
  const [first = [], ...body] = filled;
  const names = headers(first);
  return body.map((row) => {
    const json: JsonObject = {};
    for (const [index, name] of names.entries()) {
      const cell = row[index];
      if (!isEmpty(cell)) json[name] = cell;
      else if (includeEmpty) json[name] = '';
    }
    return json;
  });
}
