import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { Compat } from '../../engine/workflow.ts';
import { atItem, continuesOnError, errorItem, mustStop } from '../item-errors.ts';
import { asObject, asText } from '../json-value.ts';
import { missingParameters } from '../missing-parameters.ts';
import { flagParameter, numberParameter, textParameter } from '../parameter-value.ts';
import { authenticationFor, credentialTypeOf, type Authentication } from './authentication.ts';
import { describeLegacyRequest, describeRequest } from './describe-request.ts';
import { HttpRequestError } from './http-error.ts';
import { fetchPages, isPaginated } from './pagination.ts';
import { httpParameters } from './parameters.ts';
import { readAnswer, type AnswerFormat } from './read-answer.ts';
import { arrayFormat } from './request.ts';
import { send, type SendOptions } from './send.ts';

/** Requests under way at once when no batches are asked for. */
const MAX_CONCURRENT = 50;
const UNAUTHORIZED = 401;
const DEFAULT_TIMEOUT_MS = 300_000;
const DEFAULT_MAX_REDIRECTS = 21;

/** The options of versions 1 and 2 have other names and places. */
function answerFormat(context: NodeContext, index: number): AnswerFormat & { neverError: boolean } {
  if (context.typeVersion < 3) {
    const format = textParameter(context, 'responseFormat', index, 'json');
    return {
      format: format === 'file' ? 'file' : format === 'string' ? 'text' : 'json', fullResponse: flagParameter(context, 'options.fullResponse', index),
      outputProperty: textParameter(context, 'dataPropertyName', index, 'data'), split: flagParameter(context, 'options.splitIntoItems', index) || context.typeVersion >= 2,
      neverError: flagParameter(context, 'options.ignoreResponseCode', index),
    };
  }
  const response: JsonObject = asObject(context.parameter('options.response.response', index));
  const { responseFormat: format } = response;
  return {
    format: format === 'json' || format === 'text' || format === 'file' ? format : 'autodetect', fullResponse: response.fullResponse === true,
    outputProperty: asText(response.outputPropertyName) || 'data', split: true, neverError: response.neverError === true,
  };
}

function sendOptions(context: NodeContext, index: number, neverError: boolean): SendOptions {
  if (textParameter(context, 'options.proxy', index) !== '') {
    throw new WorkflowError('NotSupported', 'The option proxy is not supported. Let the runner pool\'s network reach the service.', { parameter: 'options.proxy', nonRetryable: true });
  }
  const redirect: JsonObject = asObject(context.parameter('options.redirect.redirect', index));
  const follow = context.typeVersion < 3 ? context.parameter('options.followRedirect', index) : redirect.followRedirects;
  return {
    timeoutMs: Math.max(1, numberParameter(context, 'options.timeout', index, DEFAULT_TIMEOUT_MS)),
    followRedirects: follow !== false, maxRedirects: Number(redirect.maxRedirects ?? DEFAULT_MAX_REDIRECTS), neverError,
    arrays: arrayFormat(context.parameter('options.queryParameterArrays', index)), boundary: `millrace-${context.idempotencyKey(index)}`,
  };
}

/** Methods whose repetition a server may take for a second wish. */
const REPEATED: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Tells a server that knows such keys that a request is the same again: after a retry, and after a crash when another runner cannot know
 * whether it was sent. n8n sends none by itself. Pages of one item are different requests, so they get none.
 */
function idempotencyHeader(context: NodeContext, method: string, index: number): Record<string, string> {
  const isByItself = context.compat === Compat.Millrace && REPEATED.has(method.toUpperCase()) && !isPaginated(context);
  const name = textParameter(context, 'options.idempotencyKeyHeader', index, isByItself ? 'Idempotency-Key' : '');
  return name === '' ? {} : { [name.toLowerCase()]: context.idempotencyKey(index) };
}

/** The items that one input item's request, or its pages, give. */
async function requestFor(context: NodeContext, item: Item, index: number, authentication: Authentication): Promise<Item[]> {
  const describe = context.typeVersion < 3 ? describeLegacyRequest : describeRequest;
  const request = authentication.apply(await describe(context, item, index));
  const { neverError, ...format } = answerFormat(context, index);
  const options = sendOptions(context, index, neverError);
  const accept = format.format === 'json' ? 'application/json, text/*;q=0.9, */*;q=0.8' : '*/*';
  const complete = { ...request, headers: { accept, ...idempotencyHeader(context, request.method, index), ...request.headers } };
  const answers = isPaginated(context)
    ? await fetchPages(context, complete, index, (page, tolerated) => sendTolerant(context, page, { options, tolerated, authentication }))
    : [await send(context, complete, options, authentication.secretHeaders)];
  const items: Item[] = [];
  for (const answer of answers) {
    for (const made of await readAnswer(context, answer, item, format)) items.push({ ...made, pairedItem: { item: index } });
  }
  return items;
}

interface Tolerance { options: SendOptions; tolerated: ReadonlySet<number>; authentication: Authentication }

/** Statuses that end a pagination are no errors. */
async function sendTolerant(context: NodeContext, page: Parameters<typeof send>[1], { options, tolerated, authentication }: Tolerance): ReturnType<typeof send> {
  try {
    return await send(context, page, options, authentication.secretHeaders);
  } catch (error) {
    const status = error instanceof HttpRequestError ? error.failure.status : undefined;
    if (status === undefined || !tolerated.has(status)) throw error;
    return { status, statusText: '', headers: new Headers(), bytes: new Uint8Array(), url: page.url };
  }
}

type Outcome = { items: Item[] } | { error: unknown };

/** Starts the requests in order, `batchSize` at a time with a pause between; each ends with an outcome. */
async function sendAll(context: NodeContext, authentication: Authentication): Promise<Outcome[]> {
  const items = context.input();
  const paths = context.typeVersion < 3 ? { size: 'options.batchSize', interval: 'options.batchInterval' } : { size: 'options.batching.batch.batchSize', interval: 'options.batching.batch.batchInterval' };
  const asked = context.rawParameter('options.batching') !== undefined || context.rawParameter('options.batchSize') !== undefined;
  const size = numberParameter(context, paths.size, 0, asked ? 50 : -1);
  const pauseMs = numberParameter(context, paths.interval, 0, asked ? 1000 : 0);
  const batchSize = size === 0 ? 1 : size < 0 ? MAX_CONCURRENT : Math.min(size, MAX_CONCURRENT);
  const outcomes: Outcome[] = [];
  for (let first = 0; first < items.length; first += batchSize) {
    if (first > 0 && size >= 0 && pauseMs > 0) await context.sleep(pauseMs);
    const batch = items.slice(first, first + batchSize).map((item, offset) => outcomeOf(requestFor(context, item, first + offset, authentication)));
    outcomes.push(...await Promise.all(batch));
  }
  return outcomes;
}

const outcomeOf = (items: Promise<Item[]>): Promise<Outcome> => items.then((made) => ({ items: made }), (error: unknown) => ({ error }));

/** Whether answers of any status are results, as the options are written. */
function toleratesFailures(options: unknown): boolean {
  const { response, ignoreResponseCode } = asObject(options);
  const { neverError } = asObject(asObject(response).response);
  return [neverError, ignoreResponseCode].some((option) => option !== undefined && option !== false);
}

/** Sends a request for each item. */
export const httpRequestNode: NodeType = {
  type: 'httpRequest', displayName: 'HTTP Request', group: 'action', versions: [1, 2, 3, 4, 4.1, 4.2, 4.3, 4.4], effect: 'effectful', inputs: 1, outputs: ['main'],
  description: 'Sends an HTTP request for each item and gives what is answered: JSON as items (a list as one item per entry), text as a field, anything else as a file.',
  parameters: httpParameters,
  credentialType: credentialTypeOf,
  problems: missingParameters('url'),
  cacheable: ({ parameters }) => !toleratesFailures(parameters?.['options']),
  async execute(context) {
    const authentication = await authenticationFor(context);
    const outcomes = await sendAll(context, authentication);
    if (outcomes.some((outcome) => 'error' in outcome && outcome.error instanceof HttpRequestError && outcome.error.failure.status === UNAUTHORIZED)) await authentication.onUnauthorized?.();
    return [outcomes.flatMap((outcome, index) => {
      if ('items' in outcome) return outcome.items;
      if (mustStop(context, outcome.error) || !continuesOnError(context)) throw atItem(outcome.error, index);
      return [errorItem(outcome.error, index, outcome.error instanceof HttpRequestError ? outcome.error.toJson() : undefined)];
    })];
  },
};
