import { createHmac, sign } from 'node:crypto';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import { asText, isObject } from '../json-value.ts';

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/**
 * A signed JSON Web Token. The credential has `algorithm` (HS, RS, PS or ES with 256, 384 or 512) and `secret` or `privateKey` (PEM).
 * Throws WorkflowError InvalidCredential; never shows the key.
 */
export function signToken(payload: unknown, credential: JsonObject, nowMs: number): string {
  const algorithm = asText(credential.algorithm) || 'HS256';
  const [, family, bits] = /^(HS|RS|PS|ES)(256|384|512)$/.exec(algorithm) ?? [];
  const key = asText(family === 'HS' ? credential.secret : credential.privateKey);
  if (!family || key === '') throw new WorkflowError('InvalidCredential', `A credential for ${algorithm} tokens needs ${family === 'HS' ? 'a secret' : 'a private key'}.`, { nonRetryable: true });
  const claims = { iat: Math.floor(nowMs / 1000), ...(isObject(payload) ? payload : {}) };
  const signed = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode(claims)}`;
  if (family === 'HS') return `${signed}.${createHmac(`sha${bits}`, key).update(signed).digest('base64url')}`;
  try {
    // RFC 7518: ECDSA signatures are r and s side by side; PSS has a salt as long as the digest.
    const options = family === 'ES' ? { key, dsaEncoding: 'ieee-p1363' as const } : family === 'PS' ? { key, padding: 6, saltLength: -1 } : { key };
    return `${signed}.${sign(`sha${bits}`, Buffer.from(signed), options).toString('base64url')}`;
  } catch {
    throw new WorkflowError('InvalidCredential', `The private key of the credential does not fit ${algorithm}.`, { nonRetryable: true });
  }
}
