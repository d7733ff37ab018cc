import type { z } from 'zod';
import { jitterOf, specOf, tickRequest, ticksOfStored } from '../../service/schedules/tick-request.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import type { StoredSchedule } from '../../store/schedules.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';
import { jsonEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { Backfill, Backfilled, type Schedule, ScheduleList, ScheduleQuery } from './schedule-schemas.ts';
import { NamespacePath, NoBody, NoPath, NoQuery, WorkflowPath } from './schemas.ts';

/** Ticks that one backfill starts. */
export const MAX_BACKFILL = 1000;
/** Executions that one statement queues. */
const BATCH = 100;
const MONTH_MS = 30 * 86_400_000;

type BackfilledTick = z.output<typeof Backfilled>['items'][number];

/** Looking at schedules, and executing ticks of the past. */
export function scheduleEndpoints({ store }: { store: Pick<Store, 'schedules' | 'queue' | 'now'> }): Endpoint[] {
  const list = async (query: z.output<typeof ScheduleQuery>, namespace?: string) => {
    const { workflow, limit, cursor } = query;
    const page = await store.schedules.list({
      limit, ...(namespace !== undefined && { namespace }), ...(workflow !== undefined && { workflow }), ...(cursor !== undefined && { cursor }),
    });
    return { items: page.schedules.map(showSchedule), ...(page.next !== undefined && { cursor: page.next }) };
  };

  return [
    jsonEndpoint({
      method: 'get', path: '/schedules', operationId: 'listAllSchedules', summary: 'Active schedules of all namespaces',
      params: NoPath, query: ScheduleQuery.omit({ workflow: true }), body: NoBody, status: 200, answer: ScheduleList,
      permission: () => ({ verb: 'list', resource: 'workflows' }),
      handle: ({ query }) => list(query),
    }),
    jsonEndpoint({
      method: 'get', path: '/namespaces/{namespace}/schedules', operationId: 'listSchedules', summary: 'Active schedules',
      params: NamespacePath, query: ScheduleQuery, body: NoBody, status: 200, answer: ScheduleList,
      permission: ({ params }) => ({ verb: 'list', resource: 'workflows', namespace: params.namespace }),
      handle: ({ params, query }) => list(query, params.namespace),
    }),
    jsonEndpoint({
      method: 'post', path: '/namespaces/{namespace}/workflows/{workflow}/backfill', operationId: 'backfillWorkflow', summary: 'Execute the ticks of a span of the past',
      params: WorkflowPath, query: NoQuery, body: Backfill, status: 202, answer: Backfilled,
      permission: ({ params }) => ({ verb: 'create', resource: 'workflowruns', namespace: params.namespace }),
      handle: async ({ params, body }) => {
        const schedules = (await store.schedules.list({ ...params, limit: 200 })).schedules.filter(({ node }) => body.node === undefined || node === body.node);
        if (schedules.length === 0) throw new ApiError('ScheduleNotFound', `${params.workflow} has no active schedule${body.node === undefined ? '' : ` '${body.node}'`}.`);
        const ticks = ticksBetween(schedules, spanOf(body, store.now()));
        if (body.dryRun) return { items: ticks.map(({ schedule, tick }) => ({ node: schedule.node, tick: time(tick) })) };
        return { items: await execute(store, ticks) };
      },
    }),
  ];
}

function showSchedule(schedule: StoredSchedule): z.output<typeof Schedule> {
  const { timezone, misfire } = specOf(schedule);
  const next = ticksOfStored(schedule).next(schedule.cursor);
  return {
    namespace: schedule.namespace, workflow: schedule.workflow, node: schedule.node, timezone, misfire, fired: schedule.fired, missed: schedule.missed,
    since: time(schedule.anchor), ...(next !== undefined && { next: time(next + jitterOf(schedule)) }),
  };
}

function spanOf({ from, to }: { from: string; to: string }, now: number): { from: number; to: number } {
  const span = { from: Date.parse(from), to: Date.parse(to) };
  if (span.from >= span.to) throw new ApiError('InvalidRequest', 'from is not before to.');
  if (span.to > now + 1000) throw new ApiError('InvalidRequest', 'to is in the future: the schedule itself fires what is still to come.');
  return span;
}

/** Oldest first. */
function ticksBetween(schedules: readonly StoredSchedule[], { from, to }: { from: number; to: number }): { schedule: StoredSchedule; tick: number }[] {
  const ticks = schedules.flatMap((schedule) => {
    const { next } = ticksOfStored(schedule);
    const own: { schedule: StoredSchedule; tick: number }[] = [];
    for (let tick = next(from - 1); tick !== undefined && tick < to && own.length <= MAX_BACKFILL; tick = next(tick)) own.push({ schedule, tick });
    return own;
  });
  if (ticks.length > MAX_BACKFILL) throw new ApiError('BackfillTooLarge', `There are more than ${MAX_BACKFILL} ticks between ${time(from)} and ${time(to)}.`);
  return ticks.sort((a, b) => a.tick - b.tick);
}

async function execute(store: Pick<Store, 'queue'>, ticks: readonly { schedule: StoredSchedule; tick: number }[]): Promise<BackfilledTick[]> {
  const done: BackfilledTick[] = [];
  for (let start = 0; start < ticks.length; start += BATCH) {
    const batch = ticks.slice(start, start + BATCH);
    // The lowest priority: the past does not hold up the present.
    const requests = batch.map(({ schedule, tick }): EnqueueRequest => ({ ...tickRequest(schedule, tick), idempotencyWindowMs: MONTH_MS, priority: 0 }));
    const outcomes = await store.queue.enqueue(requests);
    for (const [index, { schedule, tick }] of batch.entries()) {
      const outcome = outcomes[index];
      const said = outcome?.accepted === true ? { id: outcome.id, duplicate: outcome.duplicate } : { refused: outcome?.reason ?? 'unknown' };
      done.push({ node: schedule.node, tick: time(tick), ...said });
    }
  }
  return done;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
