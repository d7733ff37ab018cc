import type { WorkflowDefinition } from './workflow.ts';

/** Whether a workflow may be called by the one with this id. A workflow may always call itself; else its settings decide. */
export function isCallerAllowed(caller: string, called: WorkflowDefinition): boolean {
  if (caller === called.id) return true;
  const { callerPolicy = 'sameOwner', callers = [] } = called.settings ?? {};
  if (callerPolicy === 'none') return false;
  const isNeighbour = namespaceOf(caller) === namespaceOf(called.id);
  if (callerPolicy === 'list') return callers.some((each) => each === caller || (isNeighbour && `${namespaceOf(caller)}${each}` === caller));
  return callerPolicy === 'any' || isNeighbour;
}

/** What stands before the name, with its slash. */
function namespaceOf(id: string): string {
  return id.slice(0, id.lastIndexOf('/') + 1);
}
