import { sameJson } from './json.ts';
import type { Change } from './cache.ts';
import type { AnyObject } from './object.ts';

/** Whether a change may matter. Objects that appear or go always do. */
export type Predicate<T> = (change: Change<T>) => boolean;

const changed =
  (differs: (before: AnyObject, after: AnyObject) => boolean): Predicate<AnyObject> =>
  ({ before, after }) =>
    !before || !after || before.metadata.uid !== after.metadata.uid || differs(before, after);

export const anyChange: Predicate<AnyObject> = () => true;

/** The generation: of the spec of a kind that has a status subresource. */
export const specChanged = changed((before, after) => before.metadata.generation !== after.metadata.generation);

/** Labels, annotations, finalizers, owners, or that it is being deleted. */
export const metadataChanged = changed((before, after) => !sameJson(userMetadata(before), userMetadata(after)));

export const statusChanged = changed((before, after) => !sameJson(statusOf(before), statusOf(after)));

/** Anything but the status, which controllers write themselves. */
export const ignoreStatus = changed((before, after) => {
  if (before.metadata.generation === undefined || after.metadata.generation === undefined) return true;
  return before.metadata.generation !== after.metadata.generation || !sameJson(userMetadata(before), userMetadata(after));
});

export function anyOf<T>(...predicates: Predicate<T>[]): Predicate<T> {
  return (change) => predicates.some((predicate) => predicate(change));
}

function userMetadata({ metadata }: AnyObject): object {
  const { labels, annotations, finalizers, ownerReferences, deletionTimestamp } = metadata;
  return { labels, annotations, finalizers, ownerReferences, deletionTimestamp };
}

function statusOf(object: AnyObject): unknown {
  return 'status' in object ? object.status : undefined;
}
