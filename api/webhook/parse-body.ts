import { parse as parseForm } from 'node:querystring';
import { ApiError } from '../problem.ts';
import { contentKind, mediaType } from './content-type.ts';

/** Fields of a form that are taken; more are ignored in URL-encoded forms and refused in multipart ones. */
export const maxFields = 1000;

/**
 * What `$json.body` of a webhook is, by content type: JSON as it is, forms as objects (a repeated field becomes a list), text
 * as a string; no body is `{}`. Throws MalformedJson. Forms with files and other bytes are not for here.
 */
export function parseBody(body: Buffer, contentType: string | undefined): unknown {
  if (body.length === 0) return {};
  const kind = contentKind(mediaType(contentType));
  if (kind === 'json') return parseJson(body);
  if (kind === 'urlencoded') return { ...parseForm(body.toString('utf8'), '&', '=', { maxKeys: maxFields }) };
  return body.toString('utf8');
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
