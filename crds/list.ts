import * as z from 'zod';

/** A list that server-side apply and GitOps tools merge entry by entry, by these required keys. */
export function listMap<Item extends z.ZodType>(item: Item, keys: readonly [keyof z.infer<Item> & string, ...(keyof z.infer<Item> & string)[]], maxItems: number) {
  return z.array(item).max(maxItems).meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [...keys] });
}

/** A list of distinct scalars, merged by value. */
export function listSet<Item extends z.ZodType<string | number>>(item: Item, maxItems: number) {
  return z.array(item).max(maxItems).meta({ 'x-kubernetes-list-type': 'set' });
}

/** A list that is replaced as a whole. */
export function listAtomic<Item extends z.ZodType>(item: Item, maxItems: number) {
  return z.array(item).max(maxItems).meta({ 'x-kubernetes-list-type': 'atomic' });
}
