import { apiVersionOf } from './resource.ts';
import type { AnyObject, OwnerReference } from './object.ts';
import type { Resource } from './resource.ts';

/** Makes `owner` the controller of an object: the garbage collector deletes the object after it, `toOwner` finds it. */
export function ownerReference(owner: AnyObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  if (metadata.uid === undefined) throw new Error(`${kind} ${metadata.name} has no uid: it was not read from the API server`);
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

/** The one owner that manages the object. */
export function controllerOf(object: Pick<AnyObject, 'metadata'>): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** Whether a reference is to an object of this kind, in whatever version. */
export function refersTo(reference: OwnerReference, resource: Resource): boolean {
  const group = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');
  return reference.kind === resource.kind && group(reference.apiVersion) === group(apiVersionOf(resource));
}
