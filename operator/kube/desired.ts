import { createHash } from 'node:crypto';
import { canonicalJson, isRecord } from './json.ts';
import type { AnyObject } from './object.ts';

/**
 * Whether an object in the cluster already shows what we want, so that nothing need be written.
 *
 * Two tests together: the hash annotation tells that what we want is what we applied last (a field we no longer want would
 * otherwise stay), and the comparison tells that nobody changed it since. Whatever others added is left alone. A comparison that is
 * too strict, such as of "1000m" with the "1" that the server made of it, costs a request that changes nothing.
 */
export function isApplied(desired: Pick<AnyObject, 'metadata'>, live: Pick<AnyObject, 'metadata'>, annotation: string): boolean {
  return live.metadata.deletionTimestamp === undefined && live.metadata.annotations?.[annotation] === desiredHash(desired) && covers(live, desired);
}

/** Sixteen characters that stand for the desired state. */
export function desiredHash(desired: object): string {
  return createHash('sha256').update(canonicalJson(desired)).digest('base64url').slice(0, 16);
}

/** Whether `live` has everything that `desired` has. */
export function covers(live: unknown, desired: unknown): boolean {
  if (desired === undefined || desired === null || live === desired) return true;
  // The server drops empty maps and lists of its own kinds.
  if (live === undefined || live === null) return typeof desired === 'object' && Object.keys(desired).length === 0;
  if (Array.isArray(desired)) return Array.isArray(live) && coversList(live, desired);
  if (!isRecord(desired) || !isRecord(live)) return false;
  return Object.entries(desired).every(([key, value]) => covers(live[key], value));
}

/** Lists whose items have identities are compared by them, and may hold more; others item by item. */
function coversList(live: unknown[], desired: unknown[]): boolean {
  const identity = ['uid', 'name', 'type', 'key'].find((field) => isKeyedBy(desired, field) && isKeyedBy(live, field));
  if (identity === undefined) return live.length === desired.length && desired.every((item, index) => covers(live[index], item));
  const byIdentity = new Map(live.filter(isRecord).map((item) => [item[identity], item]));
  return desired.filter(isRecord).every((item) => covers(byIdentity.get(item[identity]), item));
}

function isKeyedBy(items: unknown[], field: string): boolean {
  const values = items.map((item) => (isRecord(item) ? item[field] : undefined));
  return values.every((value) => typeof value === 'string') && new Set(values).size === values.length;
}
