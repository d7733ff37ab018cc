import { parse as parseForm } from 'node:querystring';
import { ApiError } from '../problem.ts';

const maxFields = 1000;

/**
 * What `$json.body` of a webhook is, by content type: JSON as it is, forms as objects (a repeated field becomes a list), text
 * as a string; no body is `{}`. Throws MalformedJson, MalformedBody, or UnsupportedBody for files and other bytes.
 */
export async function parseBody(body: Buffer, contentType: string | undefined): Promise<unknown> {
  if (body.length === 0) return {};
  const type = mediaType(contentType);
  if (type === 'application/json' || type.endsWith('+json')) return parseJson(body);
  if (type === 'application/x-www-form-urlencoded') return { ...parseForm(body.toString('utf8'), '&', '=', { maxKeys: maxFields }) };
  if (type === 'multipart/form-data') return parseMultipart(body, contentType ?? '');
  if (isText(type)) return body.toString('utf8');
  throw new ApiError('UnsupportedBody', `A body of type ${type} cannot be taken.`);
}

/** Lower-case type without parameters; text/plain when there is none, as curl-less clients send. */
function mediaType(contentType: string | undefined): string {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type === '' ? 'text/plain' : type;
}

function isText(type: string): boolean {
  return type.startsWith('text/') || type === 'application/xml' || type.endsWith('+xml') || type === 'application/javascript';
}

/** Throws MalformedJson with the parser's words, which name a position. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new ApiError('MalformedJson', 'The body is not valid JSON.', { details: { reason }, cause: error });
  }
}

async function parseMultipart(body: Buffer, contentType: string): Promise<Record<string, unknown>> {
  const fields = new Map<string, string[]>();
  for (const [name, value] of await multipartEntries(body, contentType)) {
    if (typeof value !== 'string') throw new ApiError('UnsupportedBody', `The form field ${JSON.stringify(name)} is a file.`);
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return Object.fromEntries([...fields].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}

async function multipartEntries(body: Buffer, contentType: string): Promise<[string, unknown][]> {
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
    return [...form.entries()];
  } catch (error) {
    throw new ApiError('MalformedBody', 'The multipart form could not be read.', { cause: error });
  }
}
