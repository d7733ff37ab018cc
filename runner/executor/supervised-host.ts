import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { CredentialRequest } from '../engine/credential.ts';
import type { Databases } from '../engine/database.ts';
import { WorkflowError } from '../engine/error.ts';
import type { BinaryStore, CallableWorkflow, EngineHost } from '../engine/host.ts';
import type { PartitionHost } from '../engine/partitions.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Calls } from './calls.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { MAX_CACHED_LENGTH } from './protocol.ts';
import type { Assignment, Method, SupervisorMethods, ToSupervisor } from './protocol.ts';
import type { RevisionCache } from './revision-cache.ts';

export interface SupervisedHostDeps {
  calls: Calls;
  revisions: RevisionCache;
  sandbox: Sandbox;
  fetch: typeof globalThis.fetch;
  databases: Databases;
  send(message: ToSupervisor): void;
  variables: Readonly<Record<string, string>>;
  /** Called when the store could not be reached for so long that this life of the execution cannot go on. */
  onOutage(): void;
  baseUrl: string;
}

type Call = <M extends Method>(method: M, argument: SupervisorMethods[M][0]) => Promise<SupervisorMethods[M][1]>;

const OUTAGES: ReadonlySet<string> = new Set(['StoreUnavailable', 'StoreTimeout']);

/** Calls of one execution. An outage is nobody's failure: another life goes on, whatever the node makes of the error. */
function callsOf(assignment: string, { calls, onOutage }: SupervisedHostDeps): Call {
  return async (method, argument) => {
    try {
      return await calls.call(assignment, method, argument);
    } catch (error) {
      if (error instanceof WorkflowError && OUTAGES.has(error.code)) onOutage();
      throw error;
    }
  };
}

/** Files of an execution, kept by the supervisor, which stores them durably before the reference is handed out. */
function supervisedBinaries(call: Call): BinaryStore {
  return {
    async put(bytes, about) {
      const reference = { id: randomUUID(), size: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex'), ...about };
      await call('putBinary', { bytes, reference });
      return reference;
    },
    get: (reference) => call('getBinary', reference.id),
    read: ({ id }, offset, length) => call('readBinary', { id, offset, length }),
  };
}

async function loadWorkflow(call: Call, { revisions }: SupervisedHostDeps, wanted: { id: string; revision?: string }): Promise<CallableWorkflow | undefined> {
  const found = await call('findWorkflow', wanted);
  if (!found) return undefined;
  const { revision, staticData, id, active } = found;
  return { definition: await revisions.get(revision, (wanted) => call('loadRevision', wanted), { id, active }), revision, staticData };
}

/** The supervisor reads the name from the node itself, in the revision that the store has. */
function wanted({ revisions }: SupervisedHostDeps, { type, node, workflow }: CredentialRequest): SupervisorMethods['credential'][0] {
  const revision = revisions.revisionOf(workflow);
  if (revision !== undefined) return { revision, node, type };
  throw new WorkflowError('CredentialNotAllowed', `'${node}' is in a workflow that was handed over as JSON; such get no credentials. Make it a Workflow and call that.`, { nonRetryable: true });
}

function partitionsOf(call: Call, { revisions }: SupervisedHostDeps): PartitionHost {
  return {
    look: (batch) => call('lookPartitions', batch),
    async add({ definition, ...batch }, parts) {
      const revision = definition ? revisions.revisionOf(definition) : batch.revision;
      if (definition && revision === undefined) {
        throw new WorkflowError('DistributeNotPossible', `'${batch.node}' is in a workflow that was handed over as JSON, which others cannot run. Make it a Workflow and call that.`, { nonRetryable: true });
      }
      await call('addPartitions', { batch: { ...batch, ...(revision !== undefined && { revision }) }, parts });
    },
    seal: (batch, limits) => call('sealPartitions', { batch, ...limits }),
    results: (batch, which) => call('partitionResults', { batch, which }),
    join: async (batch, about) => ({ ...await call('joinPartitions', batch), ...about }),
  };
}

/** What the engine sees inside an executor: its own clock and network, and the supervisor for everything durable. */
export function supervisedHost(assignment: Assignment, deps: SupervisedHostDeps): EngineHost {
  const { send } = deps;
  const { executionId } = assignment;
  const call = callsOf(assignment.id, deps);
  return {
    now: () => Date.now() + assignment.clockOffsetMs,
    random: () => Math.random(),
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
    // The end of a request that its execution did not wait for concerns nobody any more.
    fetch: guardedFetch(deps.fetch, { enter: (request) => call('enterCircuit', request), leave: (request) => void call('leaveCircuit', request).catch(() => undefined) }),
    cache: {
      // An execution that was lost meanwhile hears of it elsewhere.
      read: (key) => call('readResult', key).catch(() => undefined),
      write: (entry) => { if (entry.outputs.length <= MAX_CACHED_LENGTH) call('writeResult', entry).catch(() => undefined); },
    },
    mayRetry: (workflow, budget) => call('takeRetry', { workflow, budget }),
    sandbox: deps.sandbox,
    binaries: supervisedBinaries(call),
    readPdf: (file, options) => call('readPdf', { id: file.id, options }),
    databases: deps.databases,
    credential: async (request) => call('credential', wanted(deps, request)),
    accessToken: async (request, refused) => call('accessToken', { ...wanted(deps, request), ...(refused !== undefined && { refused }) }),
    loadWorkflow: (workflow, revision) => loadWorkflow(call, deps, { id: workflow, ...(revision === undefined ? {} : { revision }) }),
    startWorkflow: (request) => call('startWorkflow', request),
    partitions: partitionsOf(call, deps),
    runContainers: (batch) => call('runContainers', batch),
    variables: deps.variables,
    staticData: assignment.staticData,
    baseUrl: deps.baseUrl,
    commit: (checkpoint) => call('commit', checkpoint),
    respond: (response) => call('respond', response),
    onConsole: (line) => send({ kind: 'console', executionId, ...line }),
  };
}
