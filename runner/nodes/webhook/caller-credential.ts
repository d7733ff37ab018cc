import { secretName, type CredentialReference } from '../../engine/credential.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';

/** How callers prove who they are → type of the credential that this is checked against. As n8n names both. */
const credentialTypes: Readonly<Record<string, string>> = { basicAuth: 'httpBasicAuth', headerAuth: 'httpHeaderAuth', jwtAuth: 'jwtAuth' };

/** Type of the credential that an authentication needs; undefined for none, and for one that nobody knows. */
export function credentialTypeOf(authentication: unknown): string | undefined {
  return typeof authentication === 'string' && Object.hasOwn(credentialTypes, authentication) ? credentialTypes[authentication] : undefined;
}

/** The credential that callers of a node are checked against; undefined when none is to be checked, or none is named. */
export function callerCredential(authentication: unknown, credentials: WorkflowNode['credentials'] = {}): CredentialReference | undefined {
  const type = credentialTypeOf(authentication);
  if (type === undefined || !Object.hasOwn(credentials, type)) return undefined;
  const secret = secretName(credentials[type]?.name ?? '');
  return secret === '' ? undefined : { type, secret };
}
