import { WorkflowError } from '../engine/error.ts';
import type { JsonObject } from '../engine/item.ts';

/** How a database is reached: the fields of n8n's credential `postgres`, and `ca`. */
export interface PostgresSettings {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  ssl: false | { rejectUnauthorized: boolean; ca?: string };
  /** Connections that the credential allows; undefined: it does not say. */
  maxConnections?: number;
}

/** Fields of Secrets are texts. Throws WorkflowError InvalidCredential; it names fields, never their values. */
export function postgresSettings(fields: JsonObject): PostgresSettings {
  const text = (name: string, fallback = ''): string => {
    const { [name]: value } = fields;
    const given = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    return typeof given === 'string' && given !== '' ? given : fallback;
  };
  const isOn = (name: string): boolean => text(name) === 'true';
  if (isOn('sshTunnel')) throw invalid('tunnels over SSH are not supported; let the runners reach the database');
  const host = text('host');
  if (host === '' || host.startsWith('/')) throw invalid('`host` has to be the name or address of the database');
  const ca = text('ca');
  const max = text('maxConnections');
  return {
    host, port: count('port', text('port', '5432'), 65_535), database: text('database', 'postgres'), user: text('user', 'postgres'), password: text('password'),
    ssl: text('ssl', 'disable') === 'disable' ? false : { rejectUnauthorized: !isOn('allowUnauthorizedCerts'), ...(ca !== '' && { ca }) },
    ...(max !== '' && { maxConnections: count('maxConnections', max, 10_000) }),
  };
}

function count(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= max) return value;
  throw invalid(`\`${name}\` has to be a whole number from 1 to ${max}`);
}

function invalid(what: string): WorkflowError {
  return new WorkflowError('InvalidCredential', `The credential of type postgres cannot be used: ${what}.`, { nonRetryable: true });
}
