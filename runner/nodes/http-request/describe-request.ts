import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { binaryFrom } from '../binary-property.ts';
import { parseLooseJson } from '../json-text.ts';
import { asObject, asObjects, asText, isObject } from '../json-value.ts';
import { flagParameter, textParameter } from '../parameter-value.ts';
import type { HttpRequest, MultipartPart, RequestBody } from './request.ts';

/** `[{name, value}]` as an object; a later one of the same name wins. */
function keyValues(context: NodeContext, path: string, itemIndex: number): JsonObject {
  const json: JsonObject = {};
  for (const { name, value } of asObjects(context.parameter(path, itemIndex))) if (asText(name) !== '') json[asText(name)] = value;
  return json;
}

/** JSON in a parameter, as text or from an expression. Throws WorkflowError InvalidJson. */
export function jsonParameter(context: NodeContext, path: string, itemIndex: number): unknown {
  const written = context.parameter(path, itemIndex);
  if (typeof written !== 'string') return written;
  if (written.trim() === '') return undefined;
  const parsed = parseLooseJson(written);
  if (parsed !== undefined) return parsed;
  throw new WorkflowError('InvalidJson', `The parameter ${path} is not JSON. Check its brackets and quotes.`, { parameter: path, itemIndex, nonRetryable: true });
}

export function asHeaders(values: JsonObject): Record<string, string> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase().trim(), asText(value)]));
}

function query(context: NodeContext, index: number): JsonObject {
  if (!flagParameter(context, 'sendQuery', index)) return {};
  if (context.parameter('specifyQuery', index, 'keypair') === 'json') return asObject(jsonParameter(context, 'jsonQuery', index));
  return keyValues(context, 'queryParameters.parameters', index);
}

function headers(context: NodeContext, index: number): Record<string, string> {
  if (!flagParameter(context, 'sendHeaders', index)) return {};
  const json = context.parameter('specifyHeaders', index, 'keypair') === 'json';
  return asHeaders(json ? asObject(jsonParameter(context, 'jsonHeaders', index)) : keyValues(context, 'headerParameters.parameters', index));
}

async function filePart(context: NodeContext, item: Item, field: JsonObject, index: number): Promise<MultipartPart> {
  const file = binaryFrom(item, asText(field.inputDataFieldName), index);
  return { name: asText(field.name), bytes: await context.binaries.get(file), fileName: file.fileName ?? 'file', contentType: file.mimeType };
}

async function multipart(context: NodeContext, item: Item, index: number): Promise<RequestBody> {
  const fields = asObjects(context.parameter('bodyParameters.parameters', index));
  const parts = await Promise.all(fields.map(async (field): Promise<MultipartPart> =>
    (field.parameterType === 'formBinaryData' ? filePart(context, item, field, index) : { name: asText(field.name), text: asText(field.value) })));
  return { kind: 'multipart', parts };
}

function form(context: NodeContext, index: number): RequestBody {
  if (context.parameter('specifyBody', index, 'keypair') !== 'string') return { kind: 'form', fields: keyValues(context, 'bodyParameters.parameters', index) };
  const fields: JsonObject = {};
  for (const [name, value] of new URLSearchParams(textParameter(context, 'body', index))) fields[name] = value;
  return { kind: 'form', fields };
}

async function body(context: NodeContext, item: Item, index: number): Promise<RequestBody | undefined> {
  if (!flagParameter(context, 'sendBody', index)) return undefined;
  switch (textParameter(context, 'contentType', index, 'json')) {
    case 'form-urlencoded': return form(context, index);
    case 'multipart-form-data': return multipart(context, item, index);
    case 'raw': return { kind: 'bytes', bytes: textParameter(context, 'body', index), contentType: textParameter(context, 'rawContentType', index, 'text/plain') || 'text/plain' };
    case 'binaryData': {
      const file = binaryFrom(item, textParameter(context, 'inputDataFieldName', index, 'data'), index);
      return { kind: 'bytes', bytes: await context.binaries.get(file), contentType: file.mimeType };
    }
    default: {
      const value = context.parameter('specifyBody', index, 'keypair') === 'json' ? jsonParameter(context, 'jsonBody', index) : keyValues(context, 'bodyParameters.parameters', index);
      return value === undefined ? undefined : { kind: 'json', value };
    }
  }
}

/** The request of one item, versions 3 and later. */
export async function describeRequest(context: NodeContext, item: Item, index: number): Promise<HttpRequest> {
  const request: HttpRequest = {
    method: textParameter(context, 'method', index, 'GET').toUpperCase(), url: textParameter(context, 'url', index),
    query: query(context, index), headers: headers(context, index),
  };
  const content = await body(context, item, index);
  return content ? { ...request, body: content } : request;
}

const isBodiless = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** Versions 1 and 2: lists under `…ParametersUi.parameter`, or JSON with `jsonParameters`. */
export async function describeLegacyRequest(context: NodeContext, item: Item, index: number): Promise<HttpRequest> {
  const json = flagParameter(context, 'jsonParameters', index);
  const values = (name: string): JsonObject =>
    (json ? asObject(jsonParameter(context, `${name}ParametersJson`, index)) : keyValues(context, `${name}ParametersUi.parameter`, index));
  const method = textParameter(context, 'requestMethod', index, 'GET').toUpperCase();
  const request: HttpRequest = { method, url: textParameter(context, 'url', index), query: values('query'), headers: asHeaders(values('header')) };
  const content = isBodiless(method) ? undefined : await legacyBody(context, item, { index, json, values });
  return content ? { ...request, body: content } : request;
}

interface LegacyBody { index: number; json: boolean; values(name: string): JsonObject }

async function legacyBody(context: NodeContext, item: Item, { index, json, values }: LegacyBody): Promise<RequestBody | undefined> {
  const type = textParameter(context, 'options.bodyContentType', index, 'json');
  if (flagParameter(context, 'sendBinaryData', index)) return legacyFiles(context, item, { index, type });
  if (json && type === 'raw') {
    const mime = textParameter(context, 'options.bodyContentCustomMimeType', index, 'text/plain');
    return { kind: 'bytes', bytes: textParameter(context, 'bodyParametersJson', index), contentType: mime || 'text/plain' };
  }
  const value = json ? jsonParameter(context, 'bodyParametersJson', index) : values('body');
  if (value === undefined || (isObject(value) && Object.keys(value).length === 0)) return undefined;
  if (type === 'form-urlencoded') return { kind: 'form', fields: asObject(value) };
  if (type === 'multipart-form-data') return { kind: 'multipart', parts: Object.entries(asObject(value)).map(([name, text]) => ({ name, text: asText(text) })) };
  return { kind: 'json', value };
}

/** Files as the whole body, or as parts named `part:property, part:property`. */
async function legacyFiles(context: NodeContext, item: Item, { index, type }: { index: number; type: string }): Promise<RequestBody> {
  const names = textParameter(context, 'binaryPropertyName', index, 'data');
  if (type !== 'multipart-form-data') {
    const file = binaryFrom(item, names, index);
    return { kind: 'bytes', bytes: await context.binaries.get(file), contentType: file.mimeType };
  }
  const parts = await Promise.all(names.split(',').map((entry) => {
    const [first = '', second] = entry.trim().split(':');
    return filePart(context, item, { name: first, inputDataFieldName: second ?? first }, index);
  }));
  return { kind: 'multipart', parts };
}
