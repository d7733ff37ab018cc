import { X509Certificate } from 'node:crypto';
import { createAuthority, issueServing } from './certificate.ts';

/** What the Secret holds, PEM. */
export interface Certificates {
  /** The authority that signs, then an earlier one that is still trusted. */
  'ca.crt': string;
  'ca.key': string;
  'tls.crt': string;
  'tls.key': string;
}

export interface RotationInput {
  /** What the Secret holds now; undefined when it is missing. */
  current: Partial<Certificates> | undefined;
  /** What the API server trusts now, PEM: the caBundle of the webhook configuration. */
  trusted: string;
  /** DNS names of the Service. */
  names: readonly string[];
  now: number;
}

export interface Rotation {
  certificates: Certificates;
  /** Milliseconds since the epoch at which to look again. */
  nextAt: number;
}

const DAY_MS = 86_400_000;
const AUTHORITY_MS = 3650 * DAY_MS;
const SERVING_MS = 90 * DAY_MS;

/**
 * What the Secret has to hold. Certificates are renewed after two thirds of their life. A new authority is announced first: it signs only
 * once the API server trusts it, so that no request fails in between.
 */
export function rotate({ current, trusted, names, now }: RotationInput): Rotation {
  const known = readable(current) ? current : fresh(names, now);
  const [newest, ...older] = bundle(known['ca.crt']);
  if (newest === undefined || isDue(newest, now)) return announce(known, now);
  const serving = new X509Certificate(known['tls.crt']);
  const isSigner = serving.checkIssued(newest);
  const isTrusted = bundle(trusted).some((authority) => authority.fingerprint256 === newest.fingerprint256);
  if ((!isSigner && isTrusted) || isDue(serving, now) || names.some((name) => serving.checkHost(name) === undefined)) {
    // Not trusted yet and due already: better an unknown signer for a moment than an expired certificate.
    const issued = issueServing({ key: known['ca.key'], subject: commonName(newest) }, names, { now, lifetimeMs: SERVING_MS });
    return next({ ...known, 'tls.crt': issued.cert, 'tls.key': issued.key }, now);
  }
  // The earlier authority is needed only while something it signed is served.
  const needed = isSigner ? older.filter((authority) => serving.checkIssued(authority)) : older;
  return next({ ...known, 'ca.crt': [newest, ...needed].map(String).join('') }, now);
}

function next(certificates: Certificates, now: number): Rotation {
  const renewals = [new X509Certificate(certificates['tls.crt']), ...bundle(certificates['ca.crt']).slice(0, 1)].map(renewAt);
  return { certificates, nextAt: Math.max(now + 1000, Math.min(...renewals)) };
}

function announce(known: Certificates, now: number): Rotation {
  const authority = createAuthority(now, AUTHORITY_MS);
  const [signer] = bundle(known['ca.crt']);
  return next({ ...known, 'ca.crt': `${authority.cert}${signer === undefined ? '' : String(signer)}`, 'ca.key': authority.key }, now);
}

function fresh(names: readonly string[], now: number): Certificates {
  const authority = createAuthority(now, AUTHORITY_MS);
  const serving = issueServing(authority, names, { now, lifetimeMs: SERVING_MS });
  return { 'ca.crt': authority.cert, 'ca.key': authority.key, 'tls.crt': serving.cert, 'tls.key': serving.key };
}

function readable(current: Partial<Certificates> | undefined): current is Certificates {
  if (!current?.['ca.crt'] || !current['ca.key'] || !current['tls.crt'] || !current['tls.key']) return false;
  return bundle(current['ca.crt']).length > 0 && bundle(current['tls.crt']).length === 1;
}

/** The certificates of a PEM text; what cannot be read is not among them. */
function bundle(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? []).flatMap((text) => {
    try {
      return [new X509Certificate(text)];
    } catch (error) {
      if (error instanceof Error) return [];
      throw error;
    }
  });
}

function renewAt({ validFromDate, validToDate }: X509Certificate): number {
  return validFromDate.getTime() + ((validToDate.getTime() - validFromDate.getTime()) * 2) / 3;
}

function isDue(certificate: X509Certificate, now: number): boolean {
  return now >= renewAt(certificate);
}

function commonName({ subject }: X509Certificate): string {
  return subject.replace(/^CN=/, '');
}
