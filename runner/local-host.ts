import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fetch as networkFetch } from 'undici';
import { secretName } from './engine/credential.ts';
import { execute } from './engine/engine.ts';
import type { ExecuteRequest } from './engine/engine.ts';
import { WorkflowError } from './engine/error.ts';
import type { NodeTypes } from './engine/graph.ts';
import type { BinaryStore, EngineHost } from './engine/host.ts';
import type { BinaryReference, JsonObject } from './engine/item.ts';
import { ExecutionStatus } from './engine/node-run.ts';
import type { Checkpoint, ExecutionResult } from './engine/node-run.ts';
import type { WorkflowDefinition } from './engine/workflow.ts';
import { blockList } from './egress.ts';
import { AccessTokens } from './oauth/access-tokens.ts';
import { PdfReader } from './pdf/pdf-reader.ts';
import { PostgresPools } from './postgres/pools.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

const LOCAL_CONNECTIONS = 10;

export interface LocalHostOptions {
  sandbox: Sandbox;
  /** Folder that files beside items go to. Default: memory. */
  binaryDir?: string;
  /** Workflows that sub-workflow and error-workflow nodes name, by id. */
  workflows?: ReadonlyMap<string, WorkflowDefinition>;
  /** Fields of credentials by type and name, or type and Secret: `type/name`. */
  credentials?: Readonly<Record<string, JsonObject>>;
  variables?: Readonly<Record<string, string>>;
  staticData?: EngineHost['staticData'];
  baseUrl?: string;
  onNodeRun?: EngineHost['onNodeRun'];
  onConsole?: EngineHost['onConsole'];
  onChild?: EngineHost['onChild'];
  respond?: EngineHost['respond'];
  commit?: EngineHost['commit'];
}

/** A host for laptops and tests: real clock and network, nothing durable. */
export function createLocalHost(options: LocalHostOptions): EngineHost {
  const { onNodeRun, onConsole, onChild } = options;
  const binaries = options.binaryDir === undefined ? memoryBinaries() : fileBinaries(options.binaryDir);
  const pdfs = new PdfReader();
  // undici's own types differ from those of the global fetch in name only.
  const fetch = networkFetch as unknown as EngineHost['fetch'];
  const tokens = new AccessTokens({ monotonic: () => performance.now(), fetch: async () => fetch });
  const credential: EngineHost['credential'] = async ({ type, name }) => {
    const found = options.credentials?.[`${type}/${name}`] ?? options.credentials?.[`${type}/${secretName(name)}`];
    if (!found) throw new WorkflowError('CredentialNotFound', `There is no credential '${name}' of type '${type}'.`, { nonRetryable: true });
    return found;
  };
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    sleep: (ms, signal) => delay(ms, undefined, { signal }),
    fetch,
    sandbox: options.sandbox,
    binaries,
    readPdf: async (file, request) => pdfs.read(await binaries.get(file), request),
    credential,
    accessToken: async (request, refused) => tokens.get('', await credential(request), refused),
    databases: new PostgresPools({ denied: blockList([]), maxConnections: LOCAL_CONNECTIONS }),
    loadWorkflow: async (id) => {
      const definition = options.workflows?.get(id);
      return definition && { definition };
    },
    variables: options.variables ?? {},
    staticData: options.staticData ?? { global: {}, nodes: {} },
    baseUrl: options.baseUrl ?? 'http://localhost',
    commit: options.commit ?? (async () => undefined),
    respond: options.respond ?? (async () => undefined),
    ...(onNodeRun ? { onNodeRun } : {}),
    ...(onConsole ? { onConsole } : {}),
    ...(onChild ? { onChild } : {}),
  };
}

/** Runs a workflow to its end in this process: waits with a time limit are slept through. Others end it as Waiting. */
export async function executeLocally({ resumeItems: given, ...request }: ExecuteRequest, host: EngineHost, nodeTypes: NodeTypes): Promise<ExecutionResult> {
  const checkpoints: Checkpoint[] = [...(request.resume ?? [])];
  const recording: EngineHost = {
    ...host,
    commit: async (checkpoint) => {
      await host.commit(checkpoint);
      checkpoints.push(checkpoint);
    },
  };
  let resumeItems = given;
  for (;;) {
    const result = await execute({ ...request, resume: [...checkpoints], ...(resumeItems ? { resumeItems } : {}) }, recording, nodeTypes);
    const until = result.status === ExecutionStatus.Waiting ? result.wait?.until : undefined;
    if (until === undefined) return result;
    // They ended one wait; the next has to be ended by others.
    resumeItems = undefined;
    await pause(host, until, request.signal);
  }
}

/** Sleeps until a time, or less: a timer holds no more than 24 days, and a cancel ends it. Waking early only waits again. */
async function pause(host: EngineHost, until: number, signal: AbortSignal = new AbortController().signal): Promise<void> {
  try {
    await host.sleep(Math.min(Math.max(0, until - host.now()), 86_400_000), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function memoryBinaries(): BinaryStore {
  const files = new Map<string, Uint8Array>();
  const get = async ({ id }: Pick<BinaryReference, 'id'>): Promise<Uint8Array> => {
    const bytes = files.get(id);
    if (!bytes) throw binaryNotFound(id);
    return bytes;
  };
  return {
    get,
    read: async (reference, offset, length) => (await get(reference)).subarray(offset, offset + length),
    async put(bytes, about) {
      const reference = { ...about, ...identityOf(bytes) };
      files.set(reference.id, bytes);
      return reference;
    },
  };
}

function fileBinaries(dir: string): BinaryStore {
  async function at<T>({ id }: Pick<BinaryReference, 'id'>, use: (path: string) => Promise<T>): Promise<T> {
    // Ids come from `put`; anything else could name a file outside the folder.
    if (!/^[0-9a-f-]{36}$/.test(id)) throw binaryNotFound(id);
    try {
      return await use(join(dir, id));
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? binaryNotFound(id) : error;
    }
  }
  return {
    async put(bytes, about) {
      const reference = { ...about, ...identityOf(bytes) };
      await mkdir(dir, { recursive: true });
      await writeFile(join(dir, reference.id), bytes);
      return reference;
    },
    get: (reference) => at(reference, (path) => readFile(path)),
    read: (reference, offset, length) => at(reference, async (path) => {
      await using file = await open(path);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    }),
  };
}

function identityOf(bytes: Uint8Array): { id: string; size: number; sha256: string } {
  return { id: randomUUID(), size: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function binaryNotFound(id: string): WorkflowError {
  return new WorkflowError('BinaryNotFound', `There is no file '${id}' any more.`, { nonRetryable: true });
}
