import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { parseJson } from '../json-text.ts';
import { asObject, asText, isObject, textOrNone } from '../json-value.ts';
import { textParameter } from '../parameter-value.ts';
import type { HttpRequest } from './request.ts';

/** Adds what a credential is worth to a request. Prepared once per run. */
export interface Authentication {
  apply(request: HttpRequest): HttpRequest;
  /** Headers that hold a secret. */
  secretHeaders: readonly string[];
  /** Told when the service did not take it. */
  onUnauthorized?(): Promise<void>;
}

const NONE: Authentication = { apply: (request) => request, secretHeaders: [] };

function withHeaders(headers: Record<string, string>): Authentication {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { apply: (request) => ({ ...request, headers: { ...request.headers, ...lower } }), secretHeaders: Object.keys(lower) };
}

const bearer = (token: string): Authentication => withHeaders({ authorization: `Bearer ${token}` });

const basic = (user: unknown, password: unknown): Authentication =>
  withHeaders({ authorization: `Basic ${Buffer.from(`${asText(user)}:${asText(password)}`).toString('base64')}` });

/** Fields of Secrets are texts: an object is in one as JSON. */
const objectField = (value: unknown): JsonObject => asObject(typeof value === 'string' ? parseJson(value) : value);

/** httpCustomAuth: `{headers, qs, body}` as JSON. */
function custom(credential: JsonObject): Authentication {
  const parts = objectField(credential.json);
  const headers = withHeaders(Object.fromEntries(Object.entries(asObject(parts.headers)).map(([name, value]) => [name, asText(value)])));
  return {
    secretHeaders: headers.secretHeaders,
    apply: (request) => {
      const applied = headers.apply({ ...request, query: { ...request.query, ...asObject(parts.qs) } });
      return isObject(parts.body) ? addToBody(applied, parts.body) : applied;
    },
  };
}

function addToBody(request: HttpRequest, fields: JsonObject): HttpRequest {
  const { body } = request;
  if (body?.kind === 'form') return { ...request, body: { kind: 'form', fields: { ...body.fields, ...fields } } };
  if (body && body.kind !== 'json') return request;
  return { ...request, body: { kind: 'json', value: { ...asObject(body?.value), ...fields } } };
}

/** OAuth 2: a token that the credential has, or one that all who use the credential share. */
async function oauth2(context: NodeContext, credential: JsonObject, type: string): Promise<Authentication> {
  const stored = textOrNone(credential.accessToken) ?? textOrNone(objectField(credential.oauthTokenData).access_token);
  if (stored) return bearer(stored);
  const token = await context.accessToken(type);
  // The next try, of whatever execution, has another one, if there is one. The answer of the service is what this one tells.
  return { ...bearer(token), onUnauthorized: () => context.accessToken(type, token).then(() => undefined, () => undefined) };
}

/** Fields in which credentials of services usually keep their token. */
const TOKEN_FIELDS = ['accessToken', 'token', 'apiKey', 'apiToken', 'key'];

/** A service's own credential: its headers, a token as Bearer, or user and password. */
async function predefined(context: NodeContext, type: string): Promise<Authentication> {
  const credential = await context.credential(type);
  if (credential.headers !== undefined) return custom({ json: { headers: objectField(credential.headers), qs: objectField(credential.query) } });
  if (/oauth2/i.test(type)) return oauth2(context, credential, type);
  const token = TOKEN_FIELDS.map((field) => textOrNone(credential[field])).find((value) => value !== undefined);
  if (token) return bearer(token);
  const user = textOrNone(credential.user) ?? textOrNone(credential.username) ?? textOrNone(credential.email);
  if (user) return basic(user, credential.password);
  throw new WorkflowError('InvalidCredential', `The credential of type '${type}' has neither \`headers\`, a token nor user and password. Add \`headers\` to say what requests need.`, { nonRetryable: true });
}

async function generic(context: NodeContext, type: string): Promise<Authentication> {
  const credential = await context.credential(type);
  switch (type) {
    case 'httpBasicAuth': return basic(credential.user, credential.password);
    case 'httpHeaderAuth': return withHeaders({ [asText(credential.name)]: asText(credential.value) });
    case 'httpBearerAuth': return bearer(asText(credential.token));
    case 'httpQueryAuth': return { ...NONE, apply: (request) => ({ ...request, query: { ...request.query, [asText(credential.name)]: credential.value } }) };
    case 'httpCustomAuth': return custom(credential);
    case 'oAuth2Api': return oauth2(context, credential, type);
    default: throw new WorkflowError('NotSupported', `Authentication of type '${type}' is not supported. Use header, query, basic, bearer, custom or OAuth 2.`, { parameter: 'genericAuthType', nonRetryable: true });
  }
}

/** Versions 1 and 2 name the kind of authentication directly. */
const LEGACY: Readonly<Record<string, string>> = {
  basicAuth: 'httpBasicAuth', headerAuth: 'httpHeaderAuth', queryAuth: 'httpQueryAuth', digestAuth: 'httpDigestAuth', oAuth1: 'oAuth1Api', oAuth2: 'oAuth2Api',
};

/** The type of the credential that a node needs as it is written; undefined for none, and for what only an expression knows. */
export function credentialTypeOf({ parameters = {} }: WorkflowNode): string | undefined {
  const { authentication: kind, nodeCredentialType, genericAuthType } = parameters;
  if (typeof kind !== 'string') return undefined;
  const type = kind === 'predefinedCredentialType' ? nodeCredentialType : kind === 'genericCredentialType' ? genericAuthType : Object.hasOwn(LEGACY, kind) ? LEGACY[kind] : undefined;
  return typeof type === 'string' && type !== '' && !type.startsWith('=') ? type : undefined;
}

export async function authenticationFor(context: NodeContext): Promise<Authentication> {
  const kind = textParameter(context, 'authentication', 0, 'none');
  if (kind === 'none' || kind === '') return NONE;
  if (kind === 'predefinedCredentialType') return predefined(context, textParameter(context, 'nodeCredentialType', 0));
  return generic(context, LEGACY[kind] ?? textParameter(context, 'genericAuthType', 0));
}
