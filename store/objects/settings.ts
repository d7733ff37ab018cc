import { StoreError, StoreReason } from '../error.ts';
import type { ObjectStorageSettings } from './object-storage.ts';

const PAYLOAD_BYTES = 64 * 1024;
/** A reference has some two hundred bytes: below this nothing is gained. */
const LEAST_PAYLOAD_BYTES = 1024;

/** The object storage that the environment names, of every role that opens the store; undefined without MILLRACE_S3_BUCKET. Throws ObjectStorageMisconfigured. */
export function objectStorageOf(env: NodeJS.ProcessEnv): ObjectStorageSettings | undefined {
  const text = (name: string): string | undefined => env[`MILLRACE_S3_${name}`] || undefined;
  const bucket = text('BUCKET');
  if (bucket === undefined) return undefined;
  const [endpoint, ca] = [text('ENDPOINT'), text('CA')];
  const region = text('REGION') ?? (env['AWS_REGION'] || undefined);
  if (region === undefined && endpoint === undefined) throw wrong('REGION', 'the region of the bucket, or MILLRACE_S3_ENDPOINT the address of a server');
  const prefix = (text('PREFIX') ?? '').replaceAll(/^\/+|\/+$/g, '');
  return {
    bucket, payloadBytes: payloadBytesOf(text('PAYLOAD_BYTES')), prefix: prefix === '' ? '' : `${prefix}/`, forcePathStyle: flagOf(text('FORCE_PATH_STYLE')),
    ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint: addressOf(endpoint) }), ...(ca !== undefined && { ca }),
  };
}

function payloadBytesOf(text = String(PAYLOAD_BYTES)): number {
  const bytes = Number(text);
  if (Number.isInteger(bytes) && bytes >= LEAST_PAYLOAD_BYTES) return bytes;
  throw wrong('PAYLOAD_BYTES', `a whole number from ${LEAST_PAYLOAD_BYTES} on`);
}

function flagOf(text = 'false'): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw wrong('FORCE_PATH_STYLE', 'true or false');
}

function addressOf(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  throw wrong('ENDPOINT', 'the address of a server, such as https://minio.example:9000');
}

function wrong(name: string, wanted: string): StoreError {
  return new StoreError(StoreReason.ObjectStorageMisconfigured, `MILLRACE_S3_${name} has to be ${wanted}`);
}
