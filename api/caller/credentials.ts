import type { CredentialReference } from '../../runner/engine/credential.ts';
import type { Credential, CredentialReader } from '../../service/secret-credentials.ts';
import { ApiError } from '../problem.ts';

/** Reads credentials of webhooks. Throws ApiError CredentialUnavailable; why is in the log alone, callers are strangers. */
export type Credentials = (namespace: string, reference: CredentialReference) => Promise<Credential>;

export function callerCredentials(read: CredentialReader): Credentials {
  return async (namespace, reference) => {
    const found = await read(namespace, reference);
    if ('fields' in found) return found.fields;
    throw new ApiError('CredentialUnavailable', 'What callers have to present cannot be checked.', { headers: { 'retry-after': '10' } });
  };
}
