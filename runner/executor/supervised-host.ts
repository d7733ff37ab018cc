import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowError } from '../engine/error.ts';
import type { BinaryStore, EngineHost } from '../engine/host.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Calls } from './calls.ts';
import type { Assignment, ToSupervisor } from './protocol.ts';

export interface SupervisedHostDeps {
  calls: Calls;
  sandbox: Sandbox;
  fetch: typeof globalThis.fetch;
  send(message: ToSupervisor): void;
  variables: Readonly<Record<string, string>>;
  baseUrl: string;
}

/** Files of an execution, kept by the supervisor, which stores them durably before the reference is handed out. */
function supervisedBinaries(calls: Calls, assignment: string): BinaryStore {
  return {
    async put(bytes, about) {
      const reference = { id: randomUUID(), size: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex'), ...about };
      await calls.call(assignment, 'putBinary', { bytes, reference });
      return reference;
    },
    get: (reference) => calls.call(assignment, 'getBinary', reference.id),
  };
}

/** What the engine sees inside an executor: its own clock and network, and the supervisor for everything durable. */
export function supervisedHost(assignment: Assignment, deps: SupervisedHostDeps): EngineHost {
  const { calls, send } = deps;
  const { executionId, id } = assignment;
  return {
    now: () => Date.now() + assignment.clockOffsetMs,
    random: () => Math.random(),
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
    fetch: deps.fetch,
    sandbox: deps.sandbox,
    binaries: supervisedBinaries(calls, id),
    credential: (type, name) =>
      Promise.reject(new WorkflowError('CredentialNotFound', `There is no credential '${name}' of type '${type}': credentials are not supported in runner pools yet.`)),
    loadWorkflow: (workflow) => calls.call(id, 'loadWorkflow', workflow),
    variables: deps.variables,
    staticData: assignment.staticData,
    baseUrl: deps.baseUrl,
    commit: (checkpoint) => calls.call(id, 'commit', checkpoint),
    respond: (response) => calls.call(id, 'respond', response),
    onConsole: (line) => send({ kind: 'console', executionId, ...line }),
  };
}
