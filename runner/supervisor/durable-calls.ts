import { WorkflowError } from '../engine/error.ts';
import type { WorkflowDefinition } from '../engine/workflow.ts';
import type { Assignment, Method, SupervisorMethods } from '../executor/protocol.ts';
import { coalesce } from '../../store/coalesce.ts';
import type { CheckpointWrite, Claim, FinishWrite, Lease, ResponseWrite } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';

/** An execution this runner has the lease of. */
export interface Owned {
  claim: Claim;
  assignment: Assignment;
  /** Monotonic milliseconds. */
  since: number;
}

type Methods = { [M in Method]: (owned: Owned, argument: SupervisorMethods[M][0]) => Promise<SupervisorMethods[M][1]> };

const BATCHES = { concurrency: 2, max: 500 };

/** What a lost lease means to whoever waits for a write. */
export function leaseLost(): WorkflowError {
  return new WorkflowError('LeaseLost', 'Another runner owns this execution by now.', { nonRetryable: true });
}

/** Turns a bulk write that answers with lost ids into one that says for each write whether it held. */
function fenced<W extends Lease>(write: (writes: readonly W[]) => Promise<string[]>): (write: W) => Promise<boolean> {
  return coalesce(async (writes: readonly W[]) => {
    const lost = new Set(await write(writes));
    return writes.map(({ executionId }) => !lost.has(executionId));
  }, BATCHES);
}

/** What executors ask for, done against the store; writes of many executions go out together. */
export class DurableCalls {
  /** Resolves to false when the lease was lost. */
  readonly finish: (write: FinishWrite) => Promise<boolean>;
  readonly #methods: Methods;

  constructor(store: Store) {
    const { queue, revisions, binaries } = store;
    const checkpointed = fenced<CheckpointWrite>((writes) => queue.checkpoint(writes));
    const responded = fenced<ResponseWrite>((writes) => queue.respond(writes));
    this.finish = fenced((writes) => queue.finish(writes));
    this.#methods = {
      commit: async ({ claim: { executionId, fence }, assignment }, checkpoint) => {
        if (!(await checkpointed({ executionId, fence, checkpoint }))) throw leaseLost();
        // Should this executor die, the next one goes on from here without asking the store.
        assignment.checkpoints = [...assignment.checkpoints, checkpoint];
      },
      respond: async ({ claim: { executionId, fence } }, response) => {
        if (!(await responded({ executionId, fence, response }))) throw leaseLost();
      },
      loadRevision: async (_, revision) => {
        const definition = await revisions.get(revision);
        if (!definition) throw new WorkflowError('RevisionNotFound', `Revision ${revision} is not in the store any more.`);
        return definition;
      },
      loadWorkflow: ({ claim }, id) => loadWorkflow(store, claim.namespace, id),
      putBinary: ({ claim: { executionId } }, { bytes, reference }) => binaries.put({ executionId, id: reference.id, bytes }),
      getBinary: async (_, id) => {
        const bytes = await binaries.get(id);
        if (!bytes) throw new WorkflowError('BinaryNotFound', `The file ${id} is not in the store any more.`);
        return bytes;
      },
    };
  }

  /** Rejects with the WorkflowError that the executor is to see; code LeaseLost means that the execution is not ours any more. */
  answer<M extends Method>(owned: Owned, method: M, argument: SupervisorMethods[M][0]): Promise<SupervisorMethods[M][1]> {
    return this.#methods[method](owned, argument);
  }
}

/** A sub-workflow runs the revision that its route names now; a name without a namespace is of the caller's. */
async function loadWorkflow(store: Store, namespace: string, id: string): Promise<WorkflowDefinition | undefined> {
  const [first = '', second] = id.split('/');
  const key = second === undefined ? { namespace, workflow: first } : { namespace: first, workflow: second };
  if (key.namespace !== namespace) {
    throw new WorkflowError('WorkflowNotAllowed', `Workflow '${id}' is in another namespace; only workflows of '${namespace}' can be called.`);
  }
  const route = await store.routes.get(key);
  const definition = route && (await store.revisions.get(route.stable));
  return definition && { ...definition, id: `${key.namespace}/${key.workflow}`, active: route.active };
}
