import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import { asText, isObject } from '../json-value.ts';
import type { ArrayFormat, HttpRequest, MultipartPart, RequestBody } from './request.ts';

/** The name=value pairs of an object; nested objects become a[b]=c, missing values are left out. */
function pairsOf(value: unknown, name: string, arrays: ArrayFormat): [string, string][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) {
    const suffix = (index: number): string => (arrays === 'repeat' ? '' : arrays === 'indices' ? `[${index}]` : '[]');
    return value.flatMap((entry, index) => pairsOf(entry, `${name}${suffix(index)}`, arrays));
  }
  if (isObject(value)) return Object.entries(value).flatMap(([key, entry]) => pairsOf(entry, `${name}[${key}]`, arrays));
  return [[name, asText(value)]];
}

/** Brackets in names are kept: most servers want them as they are. */
const encodeName = (name: string): string => encodeURIComponent(name).replaceAll('%5B', '[').replaceAll('%5D', ']');

export const encodePairs = (fields: JsonObject, arrays: ArrayFormat): string =>
  Object.entries(fields).flatMap(([name, value]) => pairsOf(value, name, arrays)).map(([name, value]) => `${encodeName(name)}=${encodeURIComponent(value)}`).join('&');

/** The address with the query added. Throws WorkflowError InvalidUrl. */
export function fullUrl(request: HttpRequest, arrays: ArrayFormat): string {
  const written = request.url.trim();
  const url = /^https?:\/\//i.test(written) ? URL.parse(written) : null;
  if (!url) throw new WorkflowError('InvalidUrl', `'${written}' is not a URL. It has to start with http:// or https://.`, { parameter: 'url', nonRetryable: true });
  const query = encodePairs(request.query, arrays);
  if (query !== '') url.search = url.search === '' ? query : `${url.search}&${query}`;
  return url.href;
}

export interface EncodedBody { body: string | Uint8Array; contentType: string }

/** Body and content type; `boundary` has to be absent from the parts, which a random or hashed text is. */
export function encodeBody(body: RequestBody, boundary: string): EncodedBody {
  switch (body.kind) {
    case 'json': return { body: JSON.stringify(body.value) ?? '', contentType: 'application/json' };
    case 'form': return { body: encodePairs(body.fields, 'indices'), contentType: 'application/x-www-form-urlencoded' };
    case 'multipart': return { body: encodeMultipart(body.parts, boundary), contentType: `multipart/form-data; boundary=${boundary}` };
    default: return { body: body.bytes, contentType: body.contentType };
  }
}

/** RFC 7578: names are UTF-8 with line breaks and quotes escaped as browsers do. */
const quoted = (name: string): string => `"${name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22')}"`;

function encodeMultipart(parts: readonly MultipartPart[], boundary: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  const text = (value: string): void => { chunks.push(Buffer.from(value)); };
  for (const part of parts) {
    text(`--${boundary}\r\ncontent-disposition: form-data; name=${quoted(part.name)}`);
    if ('bytes' in part) {
      text(`; filename=${quoted(part.fileName)}\r\ncontent-type: ${part.contentType}\r\n\r\n`);
      chunks.push(part.bytes);
    } else {
      text(`\r\n\r\n${part.text}`);
    }
    text('\r\n');
  }
  text(`--${boundary}--\r\n`);
  return Buffer.concat(chunks);
}
