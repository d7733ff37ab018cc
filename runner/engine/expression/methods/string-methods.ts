import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { DateTime } from 'luxon';
import { sentenceCase, snakeCase, titleCase } from './letter-case.ts';
import { MethodError } from './method-error.ts';
import { textOf } from '../text-of.ts';
import { stripMarkdown, stripTags } from './strip-markup.ts';

const EMAIL = /[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.){1,10}[a-z]{2,63}/i;
const WHOLE_EMAIL = new RegExp(`^${EMAIL.source}$`, 'i');
const DOMAIN = /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.){1,10}[a-z]{2,63}$/i;
const URL_IN_TEXT = /https?:\/\/[^\s<>"'`]+/i;
const FALSE_TEXTS = new Set(['0', 'false', 'no']);
const HASHES: Readonly<Record<string, string>> = { md5: 'md5', sha1: 'sha1', sha224: 'sha224', sha256: 'sha256', sha384: 'sha384', sha512: 'sha512', sha3: 'sha3-512', ripemd160: 'ripemd160' };

function hash(self: string, algorithm: unknown = 'md5'): string {
  const name = String(algorithm).toLowerCase();
  if (name === 'base64') return Buffer.from(self).toString('base64');
  const known = Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
  if (known === undefined) throw new MethodError(`hash() does not know the algorithm '${name}'. Use one of base64, ${Object.keys(HASHES).join(', ')}.`);
  return createHash(known).update(self).digest('hex');
}

function parseUrl(text: string): URL | undefined {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? (URL.parse(text) ?? undefined) : undefined;
}

function domainOf(text: string): string | undefined {
  if (WHOLE_EMAIL.test(text)) return text.slice(text.lastIndexOf('@') + 1);
  const host = parseUrl(text)?.hostname;
  if (host !== undefined && host !== '') return host;
  const bare = text.replace(/[/?#:].*$/s, '');
  return DOMAIN.test(bare) ? bare : undefined;
}

/** Punctuation at the end of a sentence is not part of a URL in it. */
function firstUrl(text: string): string | undefined {
  return URL_IN_TEXT.exec(text)?.[0].replace(/[.,;:!?)\]]+$/, '');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function toNumber(text: string, method: string, read: (text: string) => number = Number): number {
  const number = read(text.trim());
  if (text.trim() === '' || Number.isNaN(number)) throw new MethodError(`${method}() cannot read '${text}' as a number`);
  return number;
}

function toDateTime(dates: typeof DateTime, text: string, format?: unknown): DateTime {
  if (format !== undefined) return valid(dates.fromFormat(text, textOf(format)));
  if (/^-?\d{10,}$/.test(text.trim())) return valid(dates.fromMillis(Number(text)));
  const readers = [() => dates.fromISO(text), () => dates.fromHTTP(text), () => dates.fromRFC2822(text), () => dates.fromSQL(text), () => dates.fromMillis(Date.parse(text))];
  for (const read of readers) {
    const date = readDate(read);
    if (date) return date;
  }
  return valid(undefined);
}

function readDate(read: () => DateTime): DateTime | undefined {
  try {
    const date = read();
    return date.isValid ? date : undefined;
  } catch {
    // luxon throws for NaN milliseconds instead of giving an invalid date.
    return undefined;
  }
}

function valid(date: DateTime | undefined): DateTime {
  if (!date?.isValid) throw new MethodError('cannot convert to Luxon DateTime');
  return date;
}

function quote(text: string, mark: unknown = '"'): string {
  const sign = String(mark);
  return `${sign}${text.replaceAll('\\', '\\\\').replaceAll(sign, () => `\\${sign}`)}${sign}`;
}

/** Data-transformation methods of strings. */
export function stringMethods(dates: typeof DateTime) {
  return {
    base64Decode: (self: string) => Buffer.from(self, 'base64').toString('utf8'),
    base64Encode: (self: string) => Buffer.from(self).toString('base64'),
    extractDomain: domainOf,
    extractEmail: (self: string) => EMAIL.exec(self)?.[0],
    extractUrl: firstUrl,
    extractUrlPath: (self: string) => parseUrl(self)?.pathname,
    hash,
    isDomain: (self: string) => DOMAIN.test(self),
    isEmail: (self: string) => WHOLE_EMAIL.test(self),
    isEmpty: (self: string) => self === '',
    isNotEmpty: (self: string) => self !== '',
    isNumeric: (self: string) => self.trim() !== '' && !Number.isNaN(Number(self)),
    isUrl: (self: string) => /^(?:https?|ftps?):\/\//i.test(self) && URL.canParse(self),
    parseJson,
    quote,
    removeMarkdown: stripMarkdown,
    removeTags: stripTags,
    replaceSpecialChars: (self: string) => self.normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('ß', 'ss').replaceAll('æ', 'ae').replaceAll('Æ', 'AE').replaceAll('ø', 'o').replaceAll('Ø', 'O').replaceAll('ł', 'l').replaceAll('Ł', 'L').replaceAll('œ', 'oe').replaceAll('Œ', 'OE'),
    toBoolean: (self: string) => !FALSE_TEXTS.has(self.toLowerCase()),
    toDate: (self: string) => toDateTime(dates, self).toJSDate(),
    toDateTime: (self: string, format?: unknown) => toDateTime(dates, self, format),
    toDecimalNumber: (self: string) => toNumber(self, 'toDecimalNumber', Number.parseFloat),
    toFloat: (self: string) => toNumber(self, 'toFloat', Number.parseFloat),
    toInt: (self: string, base?: number) => toNumber(self, 'toInt', (text) => Number.parseInt(text, base ?? 10)),
    toJsonString: (self: string) => JSON.stringify(self),
    toNumber: (self: string) => toNumber(self, 'toNumber'),
    toSentenceCase: sentenceCase,
    toSnakeCase: snakeCase,
    toTitleCase: titleCase,
    toWholeNumber: (self: string) => toNumber(self, 'toWholeNumber', (text) => Number.parseInt(text, 10)),
    urlDecode: (self: string, entireString?: unknown) => (entireString === true ? decodeURI(self) : decodeURIComponent(self)),
    urlEncode: (self: string, entireString?: unknown) => (entireString === true ? encodeURI(self) : encodeURIComponent(self)),
  };
}
