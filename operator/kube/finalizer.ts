import { isNotFound } from './errors.ts';
import { keyOf } from './object.ts';
import type { CallOptions, Client } from './client.ts';
import type { AnyObject } from './object.ts';

/** Guarded by the resource version: a list is replaced as a whole, and somebody else may have changed it (KubeError Conflict). */
function withFinalizers<T extends AnyObject>(client: Client<T>, object: T, finalizers: string[], options: CallOptions): Promise<T> {
  return client.patch(keyOf(object), { merge: { metadata: { resourceVersion: object.metadata.resourceVersion, finalizers } } }, options);
}

export function hasFinalizer(object: AnyObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false;
}

/** The object with the finalizer, which keeps it from going before we have cleaned up. */
export async function addFinalizer<T extends AnyObject>(client: Client<T>, object: T, finalizer: string, options: CallOptions = {}): Promise<T> {
  if (hasFinalizer(object, finalizer)) return object;
  return await withFinalizers(client, object, [...(object.metadata.finalizers ?? []), finalizer], options);
}

/** Lets the object go. */
export async function removeFinalizer<T extends AnyObject>(client: Client<T>, object: T, finalizer: string, options: CallOptions = {}): Promise<void> {
  if (!hasFinalizer(object, finalizer)) return;
  const others = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  try {
    await withFinalizers(client, object, others, options);
  } catch (err) {
    if (!isNotFound(err)) throw err;
  }
}
