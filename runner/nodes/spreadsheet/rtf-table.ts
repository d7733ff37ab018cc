import { asText } from '../json-value.ts';
import type { Cell, Sheet } from './rows.ts';

/** Characters beyond ASCII are written as UTF-16 numbers. */
const escapeRtf = (text: string): string => Array.from({ length: text.length }, (_, index) => {
  const character = text.charAt(index);
  const code = text.charCodeAt(index);
  if (character === '\n') return '\\line ';
  if ('\\{}'.includes(character)) return `\\${character}`;
  return code < 128 ? character : `\\u${code > 32_767 ? code - 65_536 : code}?`;
}).join('');

/** A document with one table. */
export function writeRtf(sheet: Sheet): string {
  const rows = sheet.map((row) => {
    const borders = row.map((_, index) => `\\cellx${(index + 1) * 2000}`).join('');
    return `\\trowd${borders}\n${row.map((cell) => `\\pard\\intbl ${escapeRtf(asText(cell))}\\cell`).join('')}\\row\n`;
  });
  return `{\\rtf1\\ansi\n${rows.join('')}}`;
}

const CONTROL = /\\u(-?\d+) ?\??|\\'([0-9a-f]{2})|\\([a-z]+)(-?\d+)? ?|\\([^a-z])|[{}]|\r?\n|[^\\{}\r\n]+/gi;

/** The cells of the tables of a document, as text. */
export function readRtf(rtf: string): Sheet {
  const rows: Cell[][] = [];
  let row: Cell[] = [];
  let text = '';
  for (const [whole, unicode, hex, word, , symbol] of rtf.matchAll(CONTROL)) {
    if (unicode !== undefined) text += String.fromCharCode((Number(unicode) + 65_536) % 65_536);
    else if (hex !== undefined) text += new TextDecoder('windows-1252').decode(Buffer.from(hex, 'hex'));
    else if (word === 'line' || word === 'par') text += '\n';
    else if (word === 'intbl' || word === 'trowd') text = '';
    else if (word === 'cell') {
      row.push(text.trim());
      text = '';
    } else if (word === 'row') {
      rows.push(row);
      row = [];
    } else if (symbol !== undefined) text += symbol;
    else if (word === undefined && !/^[{}\r\n]/.test(whole)) text += whole;
  }
  return rows;
}
