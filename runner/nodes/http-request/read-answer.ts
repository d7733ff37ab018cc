import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { parseJson } from '../json-text.ts';
import { isObject } from '../json-value.ts';
import { extensionOf } from '../mime-types.ts';
import type { HttpAnswer } from './send.ts';

export interface AnswerFormat {
  format: 'autodetect' | 'json' | 'text' | 'file';
  fullResponse: boolean;
  outputProperty: string;
  /** Lists become an item per entry; versions 1 and 2 only do so when told to. */
  split: boolean;
}

const contentTypeOf = (answer: HttpAnswer): string => answer.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';

const TEXT = /^text\/|xml|javascript|urlencoded|graphql|yaml|csv/;

function detect(answer: HttpAnswer): 'json' | 'text' | 'file' {
  const type = contentTypeOf(answer);
  if (answer.bytes.length === 0) return 'json';
  if (/json/.test(type)) return 'json';
  if (type === '') return parseJson(textOf(answer)) === undefined ? 'text' : 'json';
  return TEXT.test(type) ? 'text' : 'file';
}

/** The charset of the answer, or UTF-8. */
function textOf(answer: HttpAnswer): string {
  const charset = /charset="?([^";]+)/i.exec(answer.headers.get('content-type') ?? '')?.[1];
  try {
    return new TextDecoder(charset?.trim() ?? 'utf-8').decode(answer.bytes);
  } catch {
    return new TextDecoder().decode(answer.bytes);
  }
}

/** Header names in lower case; cookies as a list, since they cannot be joined. */
export function headersOf(answer: HttpAnswer): JsonObject {
  const headers: JsonObject = Object.fromEntries(answer.headers);
  const cookies = answer.headers.getSetCookie();
  return cookies.length > 0 ? { ...headers, 'set-cookie': cookies } : headers;
}

const envelope = (answer: HttpAnswer): JsonObject => ({ headers: headersOf(answer), statusCode: answer.status, statusMessage: answer.statusText });

/** The answer as expressions see it under `$response`: the body parsed when it is JSON. */
export function responseView(answer: HttpAnswer): JsonObject {
  const text = textOf(answer);
  return { body: text === '' ? {} : parseJson(text) ?? text, ...envelope(answer) };
}

function fileName(answer: HttpAnswer): string | undefined {
  const disposition = answer.headers.get('content-disposition') ?? '';
  const encoded = /filename\*=(?:UTF-8|utf-8)''([^;]+)/.exec(disposition)?.[1];
  if (encoded) return decodeURIComponent(encoded);
  const plain = /filename="?([^";]+)"?/.exec(disposition)?.[1];
  const last = new URL(answer.url).pathname.split('/').at(-1) ?? '';
  return plain ?? (last.includes('.') ? decodeURIComponent(last) : undefined);
}

async function fileItem(context: NodeContext, answer: HttpAnswer, source: Item, format: AnswerFormat): Promise<Item> {
  const name = fileName(answer);
  const mimeType = contentTypeOf(answer) || 'application/octet-stream';
  const fileExtension = extensionOf(name, mimeType);
  const file = await context.binaries.put(answer.bytes, { mimeType, ...(name && { fileName: name }), ...(fileExtension && { fileExtension }) });
  return { json: format.fullResponse ? envelope(answer) : source.json, binary: { ...source.binary, [format.outputProperty]: file } };
}

/** Any value as an item: what is no object goes under a field of its own. */
const itemOf = (value: unknown, property: string): Item => ({ json: isObject(value) ? value : { [property]: value } });

function jsonItems(answer: HttpAnswer, format: AnswerFormat): Item[] {
  const text = textOf(answer);
  const body = text.trim() === '' ? {} : parseJson(text);
  if (body === undefined) throw new WorkflowError('InvalidResponse', 'The answer is not JSON although it says so or JSON is asked for. Set the response format to text.', { parameter: 'options.response' });
  if (format.fullResponse) return [{ json: { body, ...envelope(answer) } }];
  if (Array.isArray(body) && format.split) return body.map((entry) => itemOf(entry, format.outputProperty));
  return [itemOf(body, format.outputProperty)];
}

/** The items an answer makes. Throws WorkflowError InvalidResponse. */
export async function readAnswer(context: NodeContext, answer: HttpAnswer, source: Item, format: AnswerFormat): Promise<Item[]> {
  const kind = format.format === 'autodetect' ? detect(answer) : format.format;
  if (kind === 'file') return [await fileItem(context, answer, source, format)];
  if (kind === 'json') return jsonItems(answer, format);
  return [{ json: { [format.outputProperty]: textOf(answer), ...(format.fullResponse && envelope(answer)) } }];
}
