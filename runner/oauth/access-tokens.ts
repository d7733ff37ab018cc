import { createHash } from 'node:crypto';
import { WorkflowError } from '../engine/error.ts';
import type { JsonObject } from '../engine/item.ts';

export interface AccessTokensDeps {
  /** Where tokens are fetched with; asked for with the first one. */
  fetch(): Promise<(url: string, init: RequestInit) => Promise<Response>>;
  /** Milliseconds that only go forward. */
  monotonic(): number;
}

interface Known {
  token: string;
  fetchedAt: number;
  /** Monotonic milliseconds. */
  until: number;
}

const MAX_KNOWN = 1000;
const TIMEOUT_MS = 30_000;
/** How long a token is used whose server does not say. */
const DEFAULT_LIFE_MS = 300_000;
/** A token is replaced so long before it expires, or a tenth of its life before. */
const MARGIN_MS = 60_000;
/** A service that refuses every token does not have one fetched for each request. */
const MIN_LIFE_MS = 10_000;

/**
 * Access tokens by the client's own credentials (RFC 6749, 4.4), one for all executions of a namespace that use the same credential. Each is
 * fetched once, however many want it, and used until shortly before it expires.
 */
export class AccessTokens {
  readonly #deps: AccessTokensDeps;
  /** Least recently fetched first. */
  readonly #known = new Map<string, Known>();
  readonly #fetching = new Map<string, Promise<string>>();
  #fetcher: ReturnType<AccessTokensDeps['fetch']> | undefined;

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps;
  }

  /** `refused`: a token that a service did not take, which is not to be used any more. Rejects with InvalidCredential, never showing a secret. */
  async get(namespace: string, fields: JsonObject, refused?: string): Promise<string> {
    const key = createHash('sha256').update(JSON.stringify([namespace, Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))])).digest('base64');
    const known = this.#known.get(key);
    const now = this.#deps.monotonic();
    if (known && now < known.until && (known.token !== refused || now - known.fetchedAt < MIN_LIFE_MS)) return known.token;
    const fetching = this.#fetching.get(key) ?? this.#fetch(key, fields).finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetching);
    return await fetching;
  }

  async #fetch(key: string, fields: JsonObject): Promise<string> {
    const url = textOf(fields, 'accessTokenUrl');
    if (fields['grantType'] !== 'clientCredentials' || url === '') {
      throw new WorkflowError('InvalidCredential', 'The OAuth 2 credential has no access token. Put one in `accessToken`, or use the grant clientCredentials with `accessTokenUrl`, `clientId` and `clientSecret`.', { nonRetryable: true });
    }
    const startedAt = this.#deps.monotonic();
    const { status, answer } = await this.#ask(url, fields);
    const { access_token: token, expires_in: seconds } = answer;
    if (status >= 300 || typeof token !== 'string' || token === '') {
      throw new WorkflowError('InvalidCredential', `The token endpoint answered with status ${status} and no access token. Check the OAuth 2 credential.`);
    }
    const lifeMs = Number(seconds) > 0 ? Number(seconds) * 1000 : DEFAULT_LIFE_MS;
    this.#known.delete(key);
    this.#known.set(key, { token, fetchedAt: startedAt, until: startedAt + lifeMs - Math.min(MARGIN_MS, lifeMs / 10) });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return token;
  }

  async #ask(url: string, fields: JsonObject): Promise<{ status: number; answer: JsonObject }> {
    const [id, secret, scope] = [textOf(fields, 'clientId'), textOf(fields, 'clientSecret'), textOf(fields, 'scope')];
    const inBody = fields['authentication'] === 'body';
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== '' && { scope }), ...(inBody && { client_id: id, client_secret: secret }) });
    const basic = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64');
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', ...(!inBody && { authorization: `Basic ${basic}` }) };
    try {
      const fetch = await (this.#fetcher ??= this.#deps.fetch());
      // A redirect would be told the secret.
      const response = await fetch(url, { method: 'POST', body: form.toString(), headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
      return { status: response.status, answer: objectOf(await response.text()) };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof WorkflowError ? error.cause : error;
      if (cause instanceof WorkflowError) throw cause;
      throw new WorkflowError('HttpConnection', 'The token endpoint of the OAuth 2 credential gave no answer. Check `accessTokenUrl`, and that it can be reached from the runners.', { cause });
    }
  }
}

function textOf(fields: JsonObject, name: string): string {
  const { [name]: value } = fields;
  return typeof value === 'string' ? value : '';
}

function objectOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value as JsonObject : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
