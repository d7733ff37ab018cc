import type { CallableWorkflow, EngineHost } from '../host.ts';
import type { Checkpoint } from '../node-run.ts';
import type { WorkflowDefinition } from '../workflow.ts';
import { plainSandbox } from './plain-sandbox.ts';

export interface TestHost extends EngineHost {
  readonly checkpoints: Checkpoint[];
  /** The time `now` gives; `sleep` moves it on at once. */
  clock: number;
  readonly slept: number[];
}

const noFiles = (): Promise<never> => Promise.reject(new Error('no files here'));

/** What `loadWorkflow` answers when it found this definition. */
export function callable(definition: WorkflowDefinition | undefined): CallableWorkflow | undefined {
  return definition && { definition };
}

/** A host with its own clock and counted randomness; keeps checkpoints as a database would, by value. */
export function testHost(more: Partial<EngineHost> = {}): TestHost {
  let drawn = 0;
  const host: TestHost = {
    checkpoints: [],
    clock: 1_000_000,
    slept: [],
    now: () => host.clock,
    random: () => (drawn += 1) / 1000,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      host.slept.push(ms);
      host.clock += ms;
    },
    fetch: () => Promise.reject(new Error('no network here')),
    sandbox: plainSandbox,
    binaries: { put: noFiles, get: noFiles, read: noFiles },
    readPdf: noFiles,
    credential: () => Promise.reject(new Error('no credentials here')),
    accessToken: () => Promise.reject(new Error('no credentials here')),
    databases: { connect: () => Promise.reject(new Error('no databases here')) },
    loadWorkflow: async () => undefined,
    variables: {},
    staticData: { global: {}, nodes: {} },
    baseUrl: 'http://test.example',
    async commit(checkpoint) {
      host.checkpoints.push(structuredClone(checkpoint));
    },
    respond: async () => undefined,
    ...more,
  };
  return host;
}

/** A host on which pauses take no time, and nothing ever takes as long as a time limit of ten seconds or more. */
export function patientHost(more: Partial<EngineHost> = {}): TestHost {
  const host = testHost({
    async sleep(ms, signal) {
      if (ms >= 10_000) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('over')), { once: true }));
      signal.throwIfAborted();
      host.slept.push(ms);
      host.clock += ms;
    },
    ...more,
  });
  return host;
}
