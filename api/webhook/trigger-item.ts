import type { IncomingHttpHeaders } from 'node:http';
import { parse as parseQuery } from 'qs';
import type { BinaryReference, Item } from '../../runner/engine/item.ts';

/** What a webhook request looks like to the workflow: n8n's keys with n8n's meaning. */
export function triggerItem(request: {
  headers: IncomingHttpHeaders;
  params: Record<string, string>;
  /** The part of the URL after `?`. */
  search: string;
  body: unknown;
  /** The full URL without query. */
  webhookUrl: string;
  /** Default production. */
  executionMode?: 'production' | 'test';
  /** Told to webhooks with an output per method. */
  method?: string;
  /** Claims of the caller's token, when one was asked for. */
  jwtPayload?: Record<string, unknown>;
  files?: Record<string, BinaryReference>;
}): Item {
  const { headers, params, body, webhookUrl, executionMode = 'production', method, jwtPayload, files } = request;
  return {
    json: {
      headers: { ...headers }, params, query: queryOf(request.search), body, webhookUrl, executionMode,
      ...(jwtPayload === undefined ? {} : { jwtPayload }), ...(method === undefined ? {} : { method }),
    },
    ...(files === undefined ? {} : { binary: files }),
    pairedItem: { item: 0 },
  };
}

/** `a=1&a=2` gives a list, `a[b]=1` an object; depth and count are bounded, and no key reaches a prototype. */
export function queryOf(search: string): Record<string, unknown> {
  return search === '' ? {} : parseQuery(search, { depth: 5, parameterLimit: 1000, arrayLimit: 100, allowPrototypes: false });
}
