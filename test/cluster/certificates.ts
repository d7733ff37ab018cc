import { existsSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from './command.ts';

/** A certificate and its private key, as paths of PEM files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** File name without extension. */
  readonly name: string;
  /** The user that Kubernetes sees, or the server's name. */
  readonly commonName: string;
  /** The groups that Kubernetes sees. */
  readonly groups?: readonly string[];
  /** Subject alternative names such as `IP:127.0.0.1` or `DNS:localhost`; a server needs at least one. */
  readonly alternativeNames?: readonly string[];
}

/**
 * A certificate authority for one cluster, its files in one folder. What exists there under a name is kept, so a
 * cluster that comes up again has the keys it had. Certificates last ten years.
 */
export interface CertificateAuthority extends KeyPair {
  issue(request: CertificateRequest): Promise<KeyPair>;
  /** A key pair without certificate, as service-account tokens are signed with. */
  signingKey(name: string): Promise<{ readonly publicKey: string; readonly privateKey: string }>;
}

const LIFETIME = ['-days', '3650'];
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];

/** The authority whose files are in `dir`; the folder is made readable by its owner only. */
export async function openCertificateAuthority(dir: string): Promise<CertificateAuthority> {
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o700);
  const file = (name: string): string => join(dir, name);
  const ca: KeyPair = { cert: file('ca.crt'), key: file('ca.key') };
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  await make(ca.cert, ['req', '-x509', ...NEW_KEY, ...LIFETIME, '-subj', '/CN=millrace-test-ca', ...usage, '-keyout', ca.key]);
  return {
    ...ca,
    async issue({ name, commonName, groups = [], alternativeNames = [] }) {
      const pair: KeyPair = { cert: file(`${name}.crt`), key: file(`${name}.key`) };
      const subject = `${groups.map((group) => `/O=${group}`).join('')}/CN=${commonName}`;
      const extensions = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=clientAuth,serverAuth'];
      if (alternativeNames.length > 0) extensions.push(`subjectAltName=${alternativeNames.join(',')}`);
      const issuer = ['-CA', ca.cert, '-CAkey', ca.key];
      const added = extensions.flatMap((extension) => ['-addext', extension]);
      await make(pair.cert, ['req', '-x509', ...issuer, ...NEW_KEY, ...LIFETIME, '-subj', subject, ...added, '-keyout', pair.key]);
      return pair;
    },
    async signingKey(name) {
      const privateKey = file(`${name}.key`);
      const publicKey = file(`${name}.pub`);
      await make(privateKey, ['ecparam', '-name', 'prime256v1', '-genkey', '-noout']);
      await make(publicKey, ['ec', '-in', privateKey, '-pubout']);
      return { publicKey, privateKey };
    },
  };
}

/** Has openssl write `file` unless it exists; an interrupted openssl leaves no half-written one under that name. */
async function make(file: string, args: readonly string[]): Promise<void> {
  if (existsSync(file)) return;
  const partial = `${file}.partial`;
  await run('openssl', [...args, '-out', partial]);
  await rename(partial, file);
}
