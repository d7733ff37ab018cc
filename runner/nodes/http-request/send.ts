import { WorkflowError } from '../../engine/error.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { encodeBody, fullUrl } from './encode.ts';
import { connectionError, statusError } from './http-error.ts';
import type { ArrayFormat, HttpRequest } from './request.ts';

export interface SendOptions {
  timeoutMs: number;
  followRedirects: boolean;
  maxRedirects: number;
  /** Answers of any status are results. */
  neverError: boolean;
  arrays: ArrayFormat;
  /** Absent from every body. */
  boundary: string;
}

/** A complete answer. */
export interface HttpAnswer {
  status: number;
  statusText: string;
  headers: Headers;
  bytes: Uint8Array;
  /** The address the answer came from. */
  url: string;
}

interface Hop { url: string; method: string; headers: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Headers that must not be told to another origin. */
const PRIVATE_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization']);

function firstHop(request: HttpRequest, options: SendOptions): Hop {
  const hop: Hop = { url: fullUrl(request, options.arrays), method: request.method, headers: { ...request.headers } };
  if (!request.body) return hop;
  const { body, contentType } = encodeBody(request.body, options.boundary);
  hop.body = typeof body === 'string' ? body : new Uint8Array(body);
  // A multipart body is read by its boundary, whatever content type was written by hand.
  if (request.body.kind === 'multipart' || hop.headers['content-type'] === undefined) hop.headers['content-type'] = contentType;
  return hop;
}

/** The request that follows a redirect, or undefined when the answer is none. */
function nextHop(hop: Hop, response: Response, privateNames: ReadonlySet<string>): Hop | undefined {
  const location = response.headers.get('location');
  if (!REDIRECTS.has(response.status) || location === null) return undefined;
  const url = URL.parse(location, hop.url);
  if (!url) return undefined;
  const { body, ...next }: Hop = { ...hop, url: url.href };
  if (url.origin !== new URL(hop.url).origin) {
    next.headers = Object.fromEntries(Object.entries(next.headers).filter(([name]) => !privateNames.has(name)));
  }
  // RFC 9110: 303 always becomes GET, 301 and 302 do for POST as every client does it.
  const toGet = response.status === 303 ? hop.method !== 'HEAD' : response.status < 303 && hop.method === 'POST';
  if (!toGet) return body === undefined ? next : { ...next, body };
  delete next.headers['content-type'];
  return { ...next, method: 'GET' };
}

/**
 * Sends a request and reads the whole answer. `privateNames` are headers that hold a secret and stay with the first origin.
 * Throws HttpRequestError, or WorkflowError InvalidUrl, TooManyRedirects, EgressDenied.
 */
export async function send(context: NodeContext, request: HttpRequest, options: SendOptions, privateNames: readonly string[] = []): Promise<HttpAnswer> {
  const secret = new Set([...PRIVATE_HEADERS, ...privateNames]);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([context.signal, timeout]);
  let hop = firstHop(request, options);
  for (let redirects = 0; ; redirects++) {
    const { url, ...init } = hop;
    let response: Response;
    let bytes: Uint8Array;
    try {
      response = await context.fetch(url, { ...init, redirect: 'manual', signal });
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      if (context.signal.aborted) throw error;
      throw connectionError(error, timeout.aborted, options.timeoutMs);
    }
    const next = options.followRedirects ? nextHop(hop, response, secret) : undefined;
    if (!next) return checked({ status: response.status, statusText: response.statusText, headers: response.headers, bytes, url }, options);
    if (redirects >= options.maxRedirects) throw new WorkflowError('TooManyRedirects', `There were more than ${options.maxRedirects} redirects. Check the address, or raise options.redirect.`, { parameter: 'options.redirect' });
    hop = next;
  }
}

function checked(answer: HttpAnswer, { neverError }: SendOptions): HttpAnswer {
  if (neverError || (answer.status >= 200 && answer.status < 300)) return answer;
  throw statusError(answer.status, Buffer.from(answer.bytes).toString('utf8'));
}
