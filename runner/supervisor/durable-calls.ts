import { randomUUID } from 'node:crypto';
import { WorkflowError } from '../engine/error.ts';
import type { ContainerBatch, ContainerResult } from '../engine/container.ts';
import type { StartRequest } from '../engine/host.ts';
import type { BinaryReference } from '../engine/item.ts';
import type { NodeRun } from '../engine/node-run.ts';
import type { BatchState } from '../engine/partitions.ts';
import type { Assignment, FoundWorkflow, Method, SupervisorMethods } from '../executor/protocol.ts';
import type { AccessTokens } from '../oauth/access-tokens.ts';
import type { PdfReader } from '../pdf/pdf-reader.ts';
import { traceparentOf } from '../../service/trace-context.ts';
import { coalesce } from '../../store/coalesce.ts';
import type { CheckpointWrite, Claim, FinishWrite, Lease, ResponseWrite } from '../../store/lease.ts';
import type { Enqueued, EnqueueRequest } from '../../store/request.ts';
import type { WorkflowKey } from '../../store/route.ts';
import type { Store } from '../../store/store.ts';
import type { Circuits } from './circuits.ts';
import type { NodeCredentials } from './node-credentials.ts';
import type { ResultLru } from './result-cache.ts';
import type { RetryBudgets } from './retry-budgets.ts';

/** An execution this runner has the lease of. */
export interface Owned {
  claim: Claim;
  assignment: Assignment;
  /** Monotonic milliseconds. */
  since: number;
  /** Revisions of workflows that it may call, as it was told. */
  called: Set<string>;
}

type Methods = { [M in Method]: (owned: Owned, argument: SupervisorMethods[M][0]) => Promise<SupervisorMethods[M][1]> };

const BATCHES = { concurrency: 2, max: 500, everyMs: 5 };

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

/** What all executions of a runner share. */
export interface CallDeps {
  pdfs: PdfReader;
  credentials: Pick<NodeCredentials, 'of'>;
  tokens: Pick<AccessTokens, 'get'>;
  circuits: Pick<Circuits, 'enter' | 'leave'>;
  retries: Pick<RetryBudgets, 'take'>;
  results: Pick<ResultLru, 'read' | 'write'>;
}

/** What executors ask for, done against the store; writes of many executions go out together. */
export class DurableCalls {
  /** Resolves to false when the lease was lost. */
  readonly finish: (write: FinishWrite) => Promise<boolean>;
  readonly #methods: Methods;

  constructor(store: Store, { pdfs, credentials, tokens, circuits, retries, results }: CallDeps) {
    const { queue, revisions, binaries } = store;
    const checkpointed = fenced<CheckpointWrite>((writes) => queue.checkpoint(writes));
    const responded = fenced<ResponseWrite>((writes) => queue.respond(writes));
    const enqueue = coalesce((requests: readonly EnqueueRequest[]) => queue.enqueue(requests), BATCHES);
    this.finish = fenced((writes) => queue.finish(writes));
    this.#methods = {
      commit: async ({ claim: { executionId, fence }, assignment }, checkpoint) => {
        if (!(await checkpointed({ executionId, fence, checkpoint }))) throw leaseLost();
        // Should this executor die, the next one goes on from here without asking the store.
        assignment.checkpoints = [...assignment.checkpoints, checkpoint];
        // What ended an earlier wait does not end this one.
        if (checkpoint.waiting) delete assignment.resume;
      },
      respond: async ({ claim: { executionId, fence } }, response) => {
        if (!(await responded({ executionId, fence, response }))) throw leaseLost();
      },
      loadRevision: async (_, revision) => {
        const definition = await revisions.get(revision);
        if (!definition) throw new WorkflowError('RevisionNotFound', `Revision ${revision} is not in the store any more.`);
        return definition;
      },
      findWorkflow: async ({ claim, called }, wanted) => {
        const found = await findWorkflow(store, claim.namespace, wanted);
        if (found) called.add(found.revision);
        return found;
      },
      credential: async (owned, wanted) => credentials.of(owned.claim.namespace, allowed(owned, wanted)),
      accessToken: async (owned, { refused, ...wanted }) => {
        const { namespace } = owned.claim;
        return tokens.get(namespace, await credentials.of(namespace, allowed(owned, wanted)), refused);
      },
      startWorkflow: (owned, request) => startWorkflow(enqueue, owned, request),
      lookPartitions: ({ claim }, batch) => store.partitions.look(batch, claim.executionId),
      addPartitions: (owned, addition) => addPartitions(store, owned, addition),
      sealPartitions: (owned, seal) => sealPartitions(store, owned, seal),
      partitionResults: ({ claim }, { batch, which }) => store.partitions.results(batch, claim.executionId, which),
      joinPartitions: ({ claim: { executionId } }, batch) => joinPartitions(store, executionId, batch),
      runContainers: (owned, batch) => runContainers(store, owned, batch),
      putBinary: ({ claim: { executionId } }, { bytes, reference }) => binaries.put({ executionId, id: reference.id, bytes }),
      loadRuns: ({ claim }, id) => loadRuns(store, claim, id),
      getBinary: (_, id) => getBinary(store, id),
      readBinary: async (_, { id, offset, length }) => found(id, await binaries.read(id, offset, length)),
      readPdf: async (_, { id, options }) => pdfs.read(await getBinary(store, id), options),
      enterCircuit: ({ claim: { namespace } }, { host, breaker }) => circuits.enter({ namespace, host }, breaker),
      leaveCircuit: ({ claim: { namespace } }, { host, breaker, ...departure }) => circuits.leave({ namespace, host }, breaker, departure),
      readResult: async ({ claim: { namespace } }, key) => results.read(`${namespace} ${key}`),
      writeResult: async ({ claim: { namespace } }, entry) => results.write({ ...entry, key: `${namespace} ${entry.key}` }),
      takeRetry: async ({ claim: { namespace } }, { workflow, budget }) => retries.take(`${namespace} ${workflow}`, budget),
    };
  }

  /** Rejects with the WorkflowError that the executor is to see; code LeaseLost means that the execution is not ours any more. */
  answer<M extends Method>(owned: Owned, method: M, argument: SupervisorMethods[M][0]): Promise<SupervisorMethods[M][1]> {
    return this.#methods[method](owned, argument);
  }
}

async function runContainers({ podSteps }: Store, { claim: { executionId, fence, remainingMs } }: Owned, batch: ContainerBatch): Promise<ContainerResult[] | undefined> {
  const results = await podSteps.request({ ...batch, lease: { executionId, fence }, ...(remainingMs !== undefined && remainingMs > 0 && { remainingMs }) });
  if (results === 'lost') throw leaseLost();
  return results;
}

/** An execution gets the credentials of workflows that it runs. Throws CredentialNotAllowed for others. */
function allowed<W extends { revision: string }>({ claim, called }: Owned, wanted: W): W {
  if (wanted.revision === claim.revision || called.has(wanted.revision)) return wanted;
  throw new WorkflowError('CredentialNotAllowed', 'The credential belongs to a workflow that this execution does not run.');
}

/** Its parts have the priority and the deadline of the execution. */
async function addPartitions(store: Store, { claim, assignment: { trace }, since }: Owned, { batch, parts }: SupervisorMethods['addPartitions'][0]): Promise<void> {
  const { namespace, executionId, fence, priority, remainingMs } = claim;
  const held = await store.partitions.add({
    ...batch, parts, priority, lease: { executionId, fence }, workflow: keyOf(namespace, batch.workflow),
    ...(remainingMs !== undefined && { deadline: store.now() + remainingMs - (performance.now() - since) }),
    ...(trace && { traceparent: traceparentOf(trace) }),
  });
  if (!held) throw leaseLost();
}

async function sealPartitions({ partitions }: Store, { claim: { executionId, fence } }: Owned, { batch, ...limits }: SupervisorMethods['sealPartitions'][0]): Promise<BatchState> {
  const state = await partitions.seal({ executionId, fence }, batch, limits);
  if (!state) throw leaseLost();
  return state;
}

/** A life that dies with this leaves a file behind, which goes with its execution. Nobody else can guess the id. */
async function joinPartitions({ partitions, binaries }: Store, executionId: string, batch: string): Promise<Pick<BinaryReference, 'id' | 'size' | 'sha256'>> {
  const id = randomUUID();
  return { id, ...await binaries.write({ executionId, id }, partitions.lines(batch, executionId)) };
}

async function getBinary(store: Store, id: string): Promise<Uint8Array> {
  return found(id, await store.binaries.get(id));
}

function found(id: string, bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes) throw new WorkflowError('BinaryNotFound', `The file ${id} is not in the store any more.`);
  return bytes;
}

/** Nobody reads another workflow's items this way. */
async function loadRuns({ executions }: Store, { namespace, workflow }: Claim, id: string): Promise<readonly NodeRun[]> {
  const earlier = await executions.get(id);
  if (earlier?.namespace === namespace && earlier.workflow === workflow && earlier.hasItems) return executions.nodeRuns(id);
  throw new WorkflowError('PartialDataMissing', `The workflow has no execution ${id} whose items are kept. Name another one, or pin data on the nodes before the part.`);
}

/** A name without a namespace is of the caller's. Throws WorkflowNotAllowed for another one. */
function keyOf(namespace: string, id: string): WorkflowKey {
  const [first = '', second] = id.split('/');
  const key = second === undefined ? { namespace, workflow: first } : { namespace: first, workflow: second };
  if (key.namespace === namespace) return key;
  throw new WorkflowError('WorkflowNotAllowed', `Workflow '${id}' is in another namespace; only workflows of '${namespace}' can be called.`);
}

/** A sub-workflow runs the revision that its route names now, unless an earlier life of the caller got another one. */
async function findWorkflow(store: Store, namespace: string, { id, revision }: { id: string; revision?: string }): Promise<FoundWorkflow | undefined> {
  const key = keyOf(namespace, id);
  const [route, staticData] = await Promise.all([store.routes.get(key), store.staticData.get(key)]);
  return route && { id: `${key.namespace}/${key.workflow}`, revision: revision ?? route.stable, active: route.active, staticData };
}

/** The key's window covers the time from a crash to the takeover: a life that comes back finds the call committed, or makes it again soon. */
async function startWorkflow(enqueue: (request: EnqueueRequest) => Promise<Enqueued>, { claim: { namespace, executionId }, assignment: { trace } }: Owned, request: StartRequest): Promise<void> {
  const { key, workflow, revision, mode, start, underError } = request;
  const outcome = await enqueue({
    ...keyOf(namespace, workflow), mode, parent: executionId, idempotencyKey: key,
    trigger: { ...start, ...(underError && { underError }), ...(trace && { traceparent: traceparentOf(trace) }) },
    ...(revision === undefined ? {} : { revision }),
  });
  if (!outcome.accepted) throw new WorkflowError(outcome.reason, `Workflow '${workflow}' was not started: ${outcome.reason}.`);
}
