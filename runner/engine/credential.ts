import type { WorkflowDefinition } from './workflow.ts';

/** Says what a Secret may be used for: without it, whoever may write Workflows could try out any Secret of the namespace. */
export const credentialTypeLabel = 'millrace.dev/credential-type';

/** A credential of the workflow's namespace: its type as n8n names it, and the Secret that holds it. */
export interface CredentialReference {
  type: string;
  secret: string;
}

/** Whom a credential is wanted for: a node gets what it names, and nothing else. */
export interface CredentialRequest {
  type: string;
  /** As the node names it. */
  name: string;
  node: string;
  workflow: WorkflowDefinition;
}

/**
 * The Secret that a credential's name means. A name that Kubernetes takes means itself; one that people wrote in n8n, such as
 * `Header Auth account`, means its letters and digits in lower case with hyphens between them: `header-auth-account`.
 */
export function secretName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-').slice(0, 253).replaceAll(/^[-.]+|[-.]+$/g, '');
}
