import { createHash } from 'node:crypto';
import type { Item } from '../runner/engine/item.ts';
import { canonicalJson } from './canonical-json.ts';
import type { WorkflowKey } from './route.ts';

/** What becomes of an execution that is over a limit: it waits its turn, is refused, or the oldest of its group is canceled for it. */
export const LimitPolicy = { Queue: 'Queue', Drop: 'Drop', Replace: 'Replace' } as const;
export type LimitPolicy = (typeof LimitPolicy)[keyof typeof LimitPolicy];

/** At most `max` executions between their start and their end, waits included. */
export interface ConcurrencyLimit {
  max: number;
  /** Path into the JSON of the first trigger item, such as `body.customerId`: executions with the same value are a group with a limit of its own. */
  key?: string;
  policy: LimitPolicy;
}

/** At most `count` starts at once, and as many again evenly within every `perMs`. */
export interface RateLimit {
  count: number;
  perMs: number;
  /** As of `ConcurrencyLimit`. */
  key?: string;
  policy: 'Queue' | 'Drop';
}

export interface Limits {
  concurrency?: ConcurrencyLimit;
  rateLimit?: RateLimit;
  /** How long an idempotency key is remembered. Default 24 hours. */
  idempotencyWindowMs?: number;
}

/** Groups of one execution; ids of rows of `gate` and `rate`. */
export interface Groups {
  gate?: string;
  rate?: string;
}

/**
 * What those who enqueue must know of a workflow's limits: the paths of both keys, the empty one for the whole workflow. Undefined
 * without limits. A text, because the database compares it with the one that was used.
 */
export function limitKeysOf({ concurrency, rateLimit }: Limits = {}): string | undefined {
  if (concurrency === undefined && rateLimit === undefined) return undefined;
  return canonicalJson({ ...(concurrency && { gate: concurrency.key ?? '' }), ...(rateLimit && { rate: rateLimit.key ?? '' }) });
}

/** The groups that an execution belongs to by the keys that `limitKeysOf` gave. */
export function groupsOf(limitKeys: string, { namespace, workflow, items }: WorkflowKey & { items: readonly Item[] }): Groups {
  const keys = JSON.parse(limitKeys) as { gate?: string; rate?: string };
  const id = (kind: string, path: string): string => uuidOf(canonicalJson([kind, namespace, workflow, path, path === '' ? null : valueAt(items[0]?.json, path)]));
  return { ...(keys.gate !== undefined && { gate: id('gate', keys.gate) }), ...(keys.rate !== undefined && { rate: id('rate', keys.rate) }) };
}

/** Null when there is nothing: executions without the value are a group of their own. */
function valueAt(json: unknown, path: string): unknown {
  let value = json;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = (value as Record<string, unknown>)[name];
  }
  return value ?? null;
}

function uuidOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
