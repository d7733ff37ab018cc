import type { AnyObject, Key } from './object.ts';
import { splitKey } from './object.ts';

/** Where a kind lives in the API. `T` is the shape of its objects. */
export interface Resource<T extends AnyObject = AnyObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural, as in the URL. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Carries the type only; never set. */
  readonly shape?: T;
}

/** Describes a kind; namespaced unless said otherwise. */
export function resource<T extends AnyObject>(description: Omit<Resource, 'shape' | 'namespaced'> & { namespaced?: boolean }): Resource<T> {
  return { namespaced: true, ...description };
}

export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

/** "plural.group", as CustomResourceDefinitions are named and logs show it. */
export function resourceName({ group, plural }: Pick<Resource, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** The URL path of all objects, or of those of one namespace. */
export function collectionPath(of: Resource, namespace?: string): string {
  const base = of.group === '' ? `/api/${of.version}` : `/apis/${of.group}/${of.version}`;
  return of.namespaced && namespace !== undefined && namespace !== '' ? `${base}/namespaces/${namespace}/${of.plural}` : `${base}/${of.plural}`;
}

/** The URL path of one object. */
export function objectPath(of: Resource, key: Key, subresource?: string): string {
  const { namespace, name } = splitKey(key);
  const path = `${collectionPath(of, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Gives an object the apiVersion and kind that the API server leaves out of the items of a list. */
export function typed<T extends AnyObject>(of: Resource<T>, object: T): T {
  object.apiVersion = apiVersionOf(of);
  object.kind = of.kind;
  return object;
}
