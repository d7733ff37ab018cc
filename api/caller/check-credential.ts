import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Credential } from '../../service/secret-credentials.ts';
import { ApiError } from '../problem.ts';
import { verifyToken } from './verify-token.ts';

/** A caller who presented what the credential asks for. */
export interface Checked {
  /** The header that held the secret, in lower case: it goes no further. */
  header: string;
  /** Claims of the caller's token. */
  claims?: Record<string, unknown>;
}

/**
 * Checks a caller against a credential of type httpBasicAuth (`user` or `username`, `password`), httpHeaderAuth (`name`, `value`) or
 * jwtAuth (`algorithm`, and `secret` or `publicKey`). Throws ApiError CallerUnauthenticated, and CredentialUnavailable when
 * the credential lacks what it needs: an empty password lets nobody in.
 */
export function checkCredential(headers: IncomingHttpHeaders, type: string, { credential, now }: { credential: Credential; now: number }): Checked {
  if (type === 'httpBasicAuth') return checkBasic(headers, credential);
  if (type === 'httpHeaderAuth') return checkHeader(headers, credential);
  return checkToken(headers, credential, now);
}

function checkBasic({ authorization = '' }: IncomingHttpHeaders, credential: Credential): Checked {
  const user = field(credential, 'user', 'username');
  const password = field(credential, 'password');
  const encoded = /^Basic +([\w+/=-]+)$/i.exec(authorization)?.[1];
  const given = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  if (!sameText(given, `${user}:${password}`)) throw unauthenticated('user and password', 'Basic realm="Webhook", charset="UTF-8"');
  return { header: 'authorization' };
}

function checkHeader(headers: IncomingHttpHeaders, credential: Credential): Checked {
  const name = field(credential, 'name').toLowerCase();
  const value = field(credential, 'value');
  const given = headers[name];
  if (!sameText(typeof given === 'string' ? given : '', value)) throw unauthenticated('header', undefined);
  return { header: name };
}

function checkToken({ authorization = '' }: IncomingHttpHeaders, credential: Credential, now: number): Checked {
  const { algorithm = 'HS256' } = credential;
  const key = algorithm.startsWith('HS') ? field(credential, 'secret') : field(credential, 'publicKey');
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
  const claims = verifyToken(token, { algorithm, key }, now);
  if (!claims) throw unauthenticated('token', token === '' ? 'Bearer' : 'Bearer error="invalid_token"');
  return { header: 'authorization', claims };
}

/** Digests have one length, so that the comparison tells nothing about the secret's. */
function sameText(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

function field(credential: Credential, ...names: readonly string[]): string {
  const value = names.map((name) => credential[name]).find((found) => found !== undefined && found !== '');
  if (value !== undefined) return value;
  throw new ApiError('CredentialUnavailable', 'What callers have to present cannot be checked.', { cause: new Error(`The credential has no ${names.join(' or ')}`) });
}

function unauthenticated(what: string, challenge: string | undefined): ApiError {
  return new ApiError('CallerUnauthenticated', `The ${what} is missing or wrong.`, challenge === undefined ? {} : { headers: { 'www-authenticate': challenge } });
}
