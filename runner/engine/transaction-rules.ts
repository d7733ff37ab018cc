import { COMPENSATION } from './workflow.ts';
import type { WorkflowDefinition } from './workflow.ts';

/** Type of the credentials whose databases have transactions over several nodes. */
export const TRANSACTION_CREDENTIAL = 'postgres';

/** Nodes during which an execution may rest for days. */
const RESTING: ReadonlySet<string> = new Set(['wait', 'form', 'container']);

/** Why a workflow cannot have the transaction that its settings ask for; undefined when it can, or asks for none. */
export function transactionProblem({ settings, nodes, connections }: WorkflowDefinition): { node?: string; message: string } | undefined {
  if (!settings?.transaction) return undefined;
  const { credential } = settings.transaction;
  const enabled = nodes.filter(({ disabled }) => disabled !== true);
  const resting = enabled.find(({ type, distribute }) => RESTING.has(type) || distribute !== undefined);
  if (resting) return { node: resting.name, message: `'${resting.name}' would keep the transaction of settings.transaction open while the execution rests. Move it, or the nodes of the transaction, to a workflow of its own.` };
  if (connections.some(({ type }) => type === COMPENSATION)) return { message: 'A workflow with settings.transaction cannot have compensation wires: what the transaction did is taken back by the database. Move what is to be compensated to a workflow of its own.' };
  if (enabled.some(({ credentials = {} }) => credentials[TRANSACTION_CREDENTIAL]?.name === credential)) return undefined;
  return { message: `No node uses the credential '${credential}' of type ${TRANSACTION_CREDENTIAL} that settings.transaction names. Correct the name, or remove the setting.` };
}
