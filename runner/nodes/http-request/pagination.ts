import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { asObject, asObjects, asText, isObject } from '../json-value.ts';
import { numberParameter, textParameter } from '../parameter-value.ts';
import { responseView } from './read-answer.ts';
import type { HttpRequest } from './request.ts';
import type { HttpAnswer } from './send.ts';

const PATH = 'options.pagination.pagination';

/** So many equal answers in a row mean that the parameters do not lead on. */
const MAX_EQUAL_ANSWERS = 5;

export function isPaginated(context: NodeContext): boolean {
  const mode = context.rawParameter(`${PATH}.paginationMode`);
  const defaultMode = isObject(context.rawParameter(PATH)) ? 'updateAParameterInEachRequest' : 'off';
  return (mode ?? defaultMode) !== 'off';
}

type Send = (request: HttpRequest, tolerated: ReadonlySet<number>) => Promise<HttpAnswer>;

/** The roots that the expressions of pagination see beside the usual ones. */
function rootsOf(request: HttpRequest, answer: HttpAnswer | undefined, pageCount: number): JsonObject {
  const seen = { url: request.url, method: request.method, qs: request.query, headers: request.headers };
  return { $request: seen, $pageCount: pageCount, $response: answer ? responseView(answer) : {} };
}

interface Paging {
  nextUrl: string | undefined;
  parameters: JsonObject[];
  completeWhen: string;
  completeExpression: string;
  completeStatuses: ReadonlySet<number>;
  maxRequests: number;
  intervalMs: number;
}

function pagingOf(context: NodeContext, index: number): Paging {
  const byUrl = context.rawParameter(`${PATH}.paginationMode`) === 'responseContainsNextURL';
  const limited = context.parameter(`${PATH}.limitPagesFetched`, index) === true;
  return {
    // Their expressions read the answers, so they are evaluated anew for every page.
    nextUrl: byUrl ? asText(context.rawParameter(`${PATH}.nextURL`)) : undefined,
    parameters: asObjects(context.rawParameter(`${PATH}.parameters.parameters`)),
    completeWhen: textParameter(context, `${PATH}.paginationCompleteWhen`, index, 'responseIsEmpty'),
    completeExpression: asText(context.rawParameter(`${PATH}.completeExpression`)),
    completeStatuses: new Set(textParameter(context, `${PATH}.statusCodesWhenComplete`, index).split(',').map(Number)),
    maxRequests: limited ? numberParameter(context, `${PATH}.maxRequests`, index, 100) : Number.POSITIVE_INFINITY,
    intervalMs: numberParameter(context, `${PATH}.requestInterval`, index, 0),
  };
}

function withParameters(request: HttpRequest, parameters: readonly JsonObject[], evaluate: (template: string) => unknown): HttpRequest {
  let changed = request;
  for (const parameter of parameters) {
    const name = asText(evaluate(asText(parameter.name)));
    const value = typeof parameter.value === 'string' ? evaluate(parameter.value) : parameter.value;
    if (parameter.type === 'headers') changed = { ...changed, headers: { ...changed.headers, [name.toLowerCase()]: asText(value) } };
    else if (parameter.type === 'body') changed = withBodyField(changed, name, value);
    else changed = { ...changed, query: { ...changed.query, [name]: value } };
  }
  return changed;
}

function withBodyField(request: HttpRequest, name: string, value: unknown): HttpRequest {
  const { body } = request;
  if (body?.kind === 'form') return { ...request, body: { kind: 'form', fields: { ...body.fields, [name]: value } } };
  return { ...request, body: { kind: 'json', value: { ...asObject(body?.kind === 'json' ? body.value : undefined), [name]: value } } };
}

function isEmptyBody(answer: HttpAnswer): boolean {
  const { body } = responseView(answer);
  if (Array.isArray(body)) return body.length === 0;
  return isObject(body) ? Object.keys(body).length === 0 : body === '' || body === null;
}

/** Sends request after request until the pages are through. Throws WorkflowError PaginationStuck. */
export async function fetchPages(context: NodeContext, first: HttpRequest, index: number, send: Send): Promise<HttpAnswer[]> {
  const paging = pagingOf(context, index);
  const byStatus = paging.completeWhen === 'receiveSpecificStatusCodes';
  const pages: HttpAnswer[] = [];
  let request = first;
  for (;;) {
    const answered = pages.at(-1);
    const before = rootsOf(request, answered, pages.length);
    if (paging.nextUrl !== undefined && answered) {
      const url = asText(context.evaluate(paging.nextUrl, index, before));
      if (url === '') return pages;
      request = { ...first, url: new URL(url, answered.url).href, query: {} };
    } else if (paging.nextUrl === undefined) {
      request = withParameters(first, paging.parameters, (template) => context.evaluate(template, index, before));
    }
    if (answered && paging.intervalMs > 0) await context.sleep(paging.intervalMs);
    const answer = await send(request, byStatus ? paging.completeStatuses : new Set());
    if (byStatus && paging.completeStatuses.has(answer.status)) return answer.status < 400 ? [...pages, answer] : pages;
    pages.push(answer);
    if (isComplete(context, paging, { request, answer, index, count: pages.length })) return pages;
    checkProgress(pages);
  }
}

function isComplete(context: NodeContext, paging: Paging, at: { request: HttpRequest; answer: HttpAnswer; index: number; count: number }): boolean {
  if (at.count >= paging.maxRequests) return true;
  if (paging.completeWhen === 'responseIsEmpty') return isEmptyBody(at.answer);
  if (paging.completeWhen !== 'other') return false;
  const done = context.evaluate(paging.completeExpression, at.index, rootsOf(at.request, at.answer, at.count));
  return done === true || done === 'true';
}

function checkProgress(pages: readonly HttpAnswer[]): void {
  const last = pages.slice(-MAX_EQUAL_ANSWERS);
  const [first] = last;
  if (!first || last.length < MAX_EQUAL_ANSWERS || !last.every(({ bytes }) => Buffer.compare(bytes, first.bytes) === 0)) return;
  throw new WorkflowError('PaginationStuck', `${MAX_EQUAL_ANSWERS} pages in a row were the same. Check the parameter that leads to the next page, and when pagination is complete.`, { parameter: 'options.pagination', nonRetryable: true });
}
