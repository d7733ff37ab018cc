import type { ContainerBatch, ContainerResult } from '../runner/engine/container.ts';
import type { BinaryReference, JsonObject } from '../runner/engine/item.ts';
import { coalesce } from './coalesce.ts';
import type { Database, Statement } from './database.ts';
import type { Lease } from './lease.ts';
import { channel, type Notifications } from './notifications.ts';
import { decodePayload, encodePayload, pack, storableText } from './payload.ts';
import { AWAKE } from './queue/wait.ts';
import type { WorkflowKey } from './route.ts';

/** A pod that an execution waits for, as whoever makes pods sees it. Times are milliseconds, counted from now by the database's clock. */
export interface PodStep extends WorkflowKey {
  id: string;
  executionId: string;
  node: string;
  spec: JsonObject;
  /** The try that is wanted, from 1. */
  attempt: number;
  /** The pod of this try has been created. */
  active: boolean;
  /** Tries that the command failed so far. */
  failures: number;
  /** Since it was asked for. */
  ageMs: number;
  /** Until the try may start; at most 0 when it may. */
  startMs: number;
  /** Until the execution is over its time. */
  deadlineMs?: number;
  isOver: boolean;
  /** Nobody waits for it any more: its execution has ended. */
  abandoned: boolean;
  /** UID of the execution's WorkflowRun. */
  workflowRun?: string;
}

/** A file that a pod gave, or why it did not. */
export type PodFile = { file: BinaryReference } | { problem: { code: string; message: string } };

const MAX_WORKFLOW_IN_NAME = 30;

/** Name of the pod of a step's try: the same for the same try, whoever makes it, so that a second create is a conflict and no second pod. */
export function podName({ workflow, id, attempt }: Pick<PodStep, 'workflow' | 'id' | 'attempt'>): string {
  return `${workflow.slice(0, MAX_WORKFLOW_IN_NAME).replace(/[-.]+$/, '')}-${id}-${attempt}`;
}

export interface PodRequest extends ContainerBatch {
  lease: Lease;
  /** Milliseconds until the execution is over its time. */
  remainingMs?: number;
}

/** The next try. */
export interface NextAttempt extends Pick<PodStep, 'id' | 'attempt'> {
  /** Whether the command failed the last one, and not its surroundings. */
  failed: boolean;
  afterMs: number;
}

/** Pods that executions wait for: asked for by runners, made by the operator. Every call may be repeated. */
export interface PodSteps {
  /** Records what is not recorded yet. Resolves to the results in the order of the requests, to undefined while one is missing, and to 'lost' when the lease has ended. */
  request(request: PodRequest): Promise<ContainerResult[] | undefined | 'lost'>;
  get(id: string): Promise<PodStep | undefined>;
  /** `namespace/id` of steps whose pod is to be created, of each namespace the oldest first, namespaces in turn; none of those in `except`. */
  due(limit: number, except?: readonly string[]): Promise<string[]>;
  /** `namespace/id` of steps without a result whose execution has ended. */
  orphans(limit: number): Promise<string[]>;
  /** The pod of this try is there. */
  started(step: Pick<PodStep, 'id' | 'attempt'>): Promise<void>;
  again(next: NextAttempt): Promise<void>;
  /** Keeps what this try gave as its file of this number, or why it did not; the last counts. False: it is not the current try of an unfinished step. */
  keepFile(step: Pick<PodStep, 'id' | 'attempt'>, index: number, file: PodFile): Promise<boolean>;
  /** What this try gave, by number. */
  files(step: Pick<PodStep, 'id' | 'attempt'>): Promise<ReadonlyMap<number, PodFile>>;
  /** The first result counts. */
  finish(id: string, result: ContainerResult): Promise<void>;
  forget(id: string): Promise<void>;
  /** Lets executions go on that have all their results. */
  settle(): Promise<void>;
  /** Forgets what belongs to executions that have ended. */
  tidy(): Promise<void>;
  /** Makes a WorkflowRun the one of its execution, when that has none. */
  adopt(executionId: string, workflowRun: string): Promise<void>;
}

const REQUEST: Statement = {
  name: 'pod-step-request',
  text: `
    WITH held AS (
      SELECT q.id, q.namespace, q.workflow FROM millrace.queue q WHERE q.id = $1 AND q.fence = $2 AND q.state = 'Running'
    ), made AS (
      INSERT INTO millrace.pod_step (id, execution_id, namespace, workflow, node, item, spec, deadline_at)
      SELECT i.id, h.id, h.namespace, h.workflow, $3, i.item, substring($4::bytea FROM i.start FOR i.length), now() + $5::float8 * interval '1 ms'
      FROM held h, unnest($6::text[], $7::int[], $8::int[], $9::int[]) AS i(id, item, start, length)
      ON CONFLICT (id) DO NOTHING RETURNING id
    )
    SELECT (SELECT count(*)::int FROM made) AS made FROM held`,
};

const RESULTS: Statement = { name: 'pod-step-results', text: 'SELECT id, result FROM millrace.pod_step WHERE id = ANY($1::text[]) AND execution_id = $2' };

const GET: Statement = {
  name: 'pod-step-get',
  text: `
    SELECT s.id, s.execution_id, s.namespace, s.workflow, s.node, s.spec, s.attempt, s.active, s.failures, s.result IS NOT NULL AS is_over, q.id IS NULL AS abandoned, q.workflow_run,
      extract(epoch FROM now() - s.created_at)::float8 * 1000 AS age, extract(epoch FROM s.not_before - now())::float8 * 1000 AS start,
      extract(epoch FROM s.deadline_at - now())::float8 * 1000 AS deadline
    FROM millrace.pod_step s LEFT JOIN millrace.queue q ON q.id = s.execution_id WHERE s.id = ANY($1::text[])`,
};

const DUE: Statement = {
  name: 'pod-step-due',
  text: `
    SELECT key FROM (
      SELECT s.namespace || '/' || s.id AS key, s.created_at, row_number() OVER (PARTITION BY s.namespace ORDER BY s.created_at) AS turn FROM millrace.pod_step s
      WHERE s.result IS NULL AND NOT s.active AND s.not_before <= now() AND s.namespace <> ALL($2::text[])) waiting
    ORDER BY turn, created_at LIMIT $1`,
};

const ORPHANS: Statement = {
  name: 'pod-step-orphans',
  text: `
    SELECT s.namespace || '/' || s.id AS key FROM millrace.pod_step s
    WHERE s.result IS NULL AND NOT EXISTS (SELECT FROM millrace.queue q WHERE q.id = s.execution_id) LIMIT $1`,
};

const STARTED: Statement = { name: 'pod-step-started', text: 'UPDATE millrace.pod_step SET active = true WHERE id = $1 AND attempt = $2 AND NOT active' };

const AGAIN: Statement = {
  name: 'pod-step-again',
  text: `
    UPDATE millrace.pod_step SET attempt = attempt + 1, active = false, files = NULL, failures = failures + $3::int, not_before = now() + $4::float8 * interval '1 ms'
    WHERE id = $1 AND attempt = $2 AND result IS NULL`,
};

const KEEP_FILE: Statement = {
  name: 'pod-step-keep-file',
  text: `
    UPDATE millrace.pod_step SET files = coalesce(files, '{}') || jsonb_build_object($3::int, $4::text) WHERE id = $1 AND attempt = $2 AND result IS NULL RETURNING id`,
};

const FILES: Statement = { name: 'pod-step-files', text: 'SELECT files FROM millrace.pod_step WHERE id = $1 AND attempt = $2' };

const FINISH: Statement = { name: 'pod-step-finish', text: 'UPDATE millrace.pod_step SET result = $2 WHERE id = $1 AND result IS NULL' };
const FORGET: Statement = { name: 'pod-step-forget', text: 'DELETE FROM millrace.pod_step WHERE id = $1' };

/**
 * An execution goes on once all pods of a node that it waits for are over; when branches wait for several nodes, with the first of them. One
 * that is still being parked is not Waiting yet: it is found by the next call.
 */
const WAKE: Statement = {
  name: 'pod-step-wake',
  text: `
    WITH woken AS (
      UPDATE millrace.queue q SET ${AWAKE}
      FROM (SELECT DISTINCT execution_id, node FROM millrace.pod_step WHERE result IS NOT NULL AND NOT told) s
      WHERE q.id = s.execution_id AND q.state = 'Waiting'
        AND EXISTS (SELECT FROM millrace.pod_step p WHERE p.execution_id = q.id AND p.node = q.wait_node)
        AND NOT EXISTS (SELECT FROM millrace.pod_step p WHERE p.execution_id = q.id AND p.node = s.node AND p.result IS NULL)
      RETURNING q.id, q.pool
    ), told AS (
      UPDATE millrace.pod_step p SET told = true FROM woken WHERE p.execution_id = woken.id AND p.result IS NOT NULL AND NOT p.told
    )
    SELECT DISTINCT pool FROM woken`,
};

const TIDY: Statement = {
  name: 'pod-step-tidy',
  text: 'DELETE FROM millrace.pod_step s WHERE s.result IS NOT NULL AND NOT EXISTS (SELECT FROM millrace.queue q WHERE q.id = s.execution_id)',
};

const ADOPT: Statement = { name: 'pod-step-adopt', text: 'UPDATE millrace.queue SET workflow_run = $2 WHERE id = $1 AND workflow_run IS NULL' };

interface Row extends WorkflowKey, Pick<PodStep, 'id' | 'node' | 'attempt' | 'active' | 'failures' | 'abandoned'> {
  execution_id: string;
  spec: Buffer;
  is_over: boolean;
  workflow_run: string | null;
  age: number;
  start: number;
  deadline: number | null;
}

function toStep({ execution_id: executionId, spec, is_over: isOver, workflow_run: workflowRun, age, start, deadline, ...row }: Row): PodStep {
  return {
    ...row, executionId, isOver, ageMs: age, startMs: start, spec: decodePayload(spec) as JsonObject,
    ...(workflowRun !== null && { workflowRun }), ...(deadline !== null && { deadlineMs: deadline }),
  };
}

export function createPodSteps(database: Database, notifications: Notifications): PodSteps {
  const get = coalesce(async (ids: readonly string[]) => {
    const found = new Map((await database.query<Row>(GET, [[...new Set(ids)]])).map((row) => [row.id, toStep(row)]));
    return ids.map((id) => found.get(id));
  }, { concurrency: 2, max: 200 });
  return {
    async request({ lease, node, requests, remainingMs }) {
      const { blob, starts, lengths } = pack(await Promise.all(requests.map(async ({ spec }) => encodePayload(spec))));
      const ids = requests.map(({ id }) => id);
      const [held] = await database.query<{ made: number }>(REQUEST, [
        lease.executionId, lease.fence, storableText(node), blob, remainingMs ?? null, ids, requests.map(({ item }) => item), starts, lengths,
      ]);
      if (held === undefined) return 'lost';
      if (held.made > 0) notifications.send(channel.pods);
      const results = new Map((await database.query<{ id: string; result: Buffer | null }>(RESULTS, [ids, lease.executionId])).map(({ id, result }) => [id, result]));
      const all = ids.flatMap((id) => {
        const bytes = results.get(id);
        return bytes ? [decodePayload(bytes) as ContainerResult] : [];
      });
      return all.length === ids.length ? all : undefined;
    },
    get,
    due: async (limit, except = []) => (await database.query<{ key: string }>(DUE, [limit, except])).map(({ key }) => key),
    orphans: async (limit) => (await database.query<{ key: string }>(ORPHANS, [limit])).map(({ key }) => key),
    async started({ id, attempt }) {
      await database.query(STARTED, [id, attempt]);
    },
    async again({ id, attempt, failed, afterMs }) {
      await database.query(AGAIN, [id, attempt, failed ? 1 : 0, afterMs]);
    },
    async keepFile({ id, attempt }, index, file) {
      return (await database.query(KEEP_FILE, [id, attempt, index, JSON.stringify(file)])).length > 0;
    },
    async files({ id, attempt }) {
      const [row] = await database.query<{ files: Record<string, string> | null }>(FILES, [id, attempt]);
      return new Map(Object.entries(row?.files ?? {}).map(([index, file]) => [Number(index), JSON.parse(file) as PodFile]));
    },
    async finish(id, result) {
      await database.query(FINISH, [id, await encodePayload(result)]);
    },
    async forget(id) {
      await database.query(FORGET, [id]);
    },
    async settle() {
      for (const { pool } of await database.query<{ pool: string }>(WAKE)) notifications.send(channel.work(pool));
    },
    async tidy() {
      await database.query(TIDY);
    },
    async adopt(executionId, workflowRun) {
      await database.query(ADOPT, [executionId, workflowRun]);
    },
  };
}
