import { controllerOf, refersTo } from './owner-reference.ts';
import type { Cache } from './cache.ts';
import type { AnyObject, Key } from './object.ts';
import type { Resource } from './resource.ts';

/** From an object that changed to the keys that may need work because of it. */
export type Mapping<T> = (object: T) => readonly Key[];

/** To the controller owner, when it is of this kind. */
export function toOwner(owner: Resource): Mapping<AnyObject> {
  return (object) => {
    const reference = controllerOf(object);
    if (!reference || !refersTo(reference, owner)) return [];
    return [`${owner.namespaced ? (object.metadata.namespace ?? '') : ''}/${reference.name}`];
  };
}

/** To the objects of `cache` that an index of it holds under a value of the changed object, such as those that name it. */
export function toIndex<T>(cache: Pick<Cache<AnyObject>, 'keysByIndex'>, index: string, valueOf: (object: T) => string): Mapping<T> {
  return (object) => cache.keysByIndex(index, valueOf(object));
}
