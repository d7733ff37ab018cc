import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { der } from './der.ts';

/** A certificate and its private key, PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

interface Request {
  subject: string;
  issuer: string;
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  publicKey: KeyObject;
  signWith: KeyObject;
  extensions: readonly Uint8Array[];
}

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2', commonName: '2.5.4.3', basicConstraints: '2.5.29.19', keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37', subjectAltName: '2.5.29.17', serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** Clocks of other machines may be behind. */
const SKEW_MS = 3_600_000;

/** A certificate authority of its own name, so that two of them in one bundle are told apart. */
export function createAuthority(now: number, lifetimeMs: number): KeyPair & { subject: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = `Millrace webhooks ${randomBytes(4).toString('hex')}`;
  const cert = certificate({
    subject, issuer: subject, from: now - SKEW_MS, to: now + lifetimeMs, publicKey, signWith: privateKey,
    extensions: [
      extension(OID.basicConstraints, der.sequence(der.true), true),
      // keyCertSign and cRLSign.
      extension(OID.keyUsage, der.bits(Buffer.from([0x06]), 1), true),
    ],
  });
  return { cert, key: pem(privateKey), subject };
}

/** A certificate for a TLS server under these DNS names. */
export function issueServing(authority: { key: string; subject: string }, names: readonly string[], { now, lifetimeMs }: { now: number; lifetimeMs: number }): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = certificate({
    // The name is short, as common names must be; what counts are the alternative names.
    subject: 'millrace-webhooks', issuer: authority.subject, from: now - SKEW_MS, to: now + lifetimeMs, publicKey, signWith: createPrivateKey(authority.key),
    extensions: [
      extension(OID.basicConstraints, der.sequence(), true),
      // digitalSignature.
      extension(OID.keyUsage, der.bits(Buffer.from([0x80]), 7), true),
      extension(OID.extendedKeyUsage, der.sequence(der.oid(OID.serverAuth))),
      extension(OID.subjectAltName, der.sequence(...names.map((name) => der.implicit(2, Buffer.from(name))))),
    ],
  });
  return { cert, key: pem(privateKey) };
}

function certificate({ subject, issuer, from, to, publicKey, signWith, extensions }: Request): string {
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSha256));
  const body = der.sequence(
    der.tagged(0, der.integer(Buffer.from([2]))),
    // Positive and of few bytes, without a zero in front.
    der.integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm,
    name(issuer),
    der.sequence(der.time(from), der.time(to)),
    name(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    der.tagged(3, der.sequence(...extensions)),
  );
  const signed = der.sequence(body, algorithm, der.bits(sign('sha256', body, signWith)));
  const lines = signed.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function name(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid(OID.commonName), der.utf8(commonName))));
}

function extension(oid: string, value: Uint8Array, critical = false): Buffer {
  return der.sequence(der.oid(oid), ...(critical ? [der.true] : []), der.octets(value));
}

function pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}
