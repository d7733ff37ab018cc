import { toErrorRecord, WorkflowError } from './error.ts';
import type { ErrorRecord, Item, JsonObject } from './item.ts';

/** Shorter values stand in too many texts by chance. */
const MIN_LENGTH = 4;
const MARK = '[redacted]';
/** Fields of credentials that are no secrets: errors are of no use without them. */
const PLAIN = new Set([
  'name', 'user', 'username', 'email', 'host', 'port', 'database', 'schema', 'ssl', 'scope', 'granttype', 'authentication', 'algorithm', 'maxconnections', 'allowunauthorizedcerts',
  'clientid', 'url', 'baseurl', 'domain', 'region', 'accesstokenurl', 'authurl',
]);

/** Takes secrets out of what a node run tells about its failure: errors end in history, logs, events and answers. */
export class Redaction {
  readonly #secrets = new Set<string>();

  /** Remembers what a credential was given as, and the forms it takes on the wire. */
  add(fields: JsonObject): void {
    for (const value of secretsOf(fields)) {
      for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('base64')]) {
        if (form.length >= MIN_LENGTH) this.#secrets.add(form);
      }
    }
    const { user, username, password } = fields;
    const name = user ?? username;
    if (typeof name === 'string' && typeof password === 'string') this.#secrets.add(Buffer.from(`${name}:${password}`).toString('base64'));
  }

  /** The same failure without secrets in its texts. */
  failure(error: unknown): WorkflowError {
    const { code, message, ...details } = this.#record(toErrorRecord(error));
    return new WorkflowError(code, message, details);
  }

  /** What an item that failed says about it; its other fields are data. */
  items(outputs: readonly (readonly Item[] | null)[]): void {
    for (const item of outputs.flatMap((items) => items ?? [])) {
      if (!item.error) continue;
      item.error = this.#record(item.error);
      if ('error' in item.json) item.json = { ...item.json, error: this.#clean(item.json.error) };
    }
  }

  #record(record: ErrorRecord): ErrorRecord {
    const { message, description } = record;
    return { ...record, message: this.#text(message), ...(description !== undefined && { description: this.#text(description) }) };
  }

  #clean(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (Array.isArray(value)) return value.map((entry) => this.#clean(entry));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, this.#clean(entry)]));
  }

  /** Longest first: a secret may be part of another. */
  #text(text: string): string {
    return [...this.#secrets].sort((a, b) => b.length - a.length).reduce((clean, secret) => clean.replaceAll(secret, MARK), text);
  }
}

/** Some fields are JSON of their own, with names in it that are none. */
function secretsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value, value.trim(), ...secretsOf(objectIn(value))];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, entry]) => (PLAIN.has(name.toLowerCase()) ? [] : secretsOf(entry)));
}

function objectIn(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
