import { createHmac, timingSafeEqual, verify } from 'node:crypto';
import { z } from 'zod';

/** How tokens of a webhook are signed; the algorithm is fixed by the credential, never by the token. */
export interface TokenKey {
  /** HS, RS, PS or ES with 256, 384 or 512. */
  algorithm: string;
  /** The shared secret for HS, the public key (PEM) for the others. */
  key: string;
}

const Header = z.looseObject({ alg: z.string() });
const Claims = z.looseObject({ exp: z.number().optional(), nbf: z.number().optional() });

/** Seconds that clocks may differ. */
const leewaySeconds = 5;

/** The claims of a JSON Web Token, or undefined when it is not signed with the key or not valid at this time. */
export function verifyToken(token: string, { algorithm, key }: TokenKey, nowMs: number): Record<string, unknown> | undefined {
  const [head = '', payload = '', signature = '', ...rest] = token.split('.');
  if (rest.length > 0 || token.length > 16_384 || decode(head, Header)?.alg !== algorithm) return undefined;
  if (!isSigned(`${head}.${payload}`, Buffer.from(signature, 'base64url'), { algorithm, key })) return undefined;
  const claims = decode(payload, Claims);
  const now = nowMs / 1000;
  if (!claims || now > (claims.exp ?? Number.POSITIVE_INFINITY) + leewaySeconds || now < (claims.nbf ?? 0) - leewaySeconds) return undefined;
  return claims;
}

function isSigned(text: string, signature: Buffer, { algorithm, key }: TokenKey): boolean {
  const [, family = '', bits = ''] = /^(HS|RS|PS|ES)(256|384|512)$/.exec(algorithm) ?? [];
  if (family === '' || key === '') return false;
  if (family === 'HS') {
    const expected = createHmac(`sha${bits}`, key).update(text).digest();
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }
  // RFC 7518: ECDSA signatures are r and s side by side; PSS has a salt as long as the digest.
  const options = family === 'ES' ? { key, dsaEncoding: 'ieee-p1363' as const } : family === 'PS' ? { key, padding: 6, saltLength: -1 } : { key };
  try {
    return verify(`sha${bits}`, Buffer.from(text), options, signature);
  } catch {
    // A key that is none signs nothing.
    return false;
  }
}

function decode<Schema extends z.ZodType>(part: string, schema: Schema): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
