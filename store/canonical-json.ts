/** JSON with the keys of objects in code unit order and without absent values: equal content gives equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(ordered(value));
}

/** The same with the keys of every object in order. What is so already, as nearly all that the API server sends is, is not copied. */
function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? orderedList(value) : orderedObject(value as Record<string, unknown>);
}

function orderedList(list: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index += 1) {
    const item = ordered(list[index]);
    if (item !== list[index]) (copy ??= [...list])[index] = item;
  }
  return copy ?? list;
}

function orderedObject(object: Record<string, unknown>): object {
  const keys = Object.keys(object);
  let changed: Map<string, unknown> | undefined;
  let inOrder = true;
  let last = '';
  for (const key of keys) {
    const part = ordered(object[key]);
    if (part !== object[key]) (changed ??= new Map()).set(key, part);
    inOrder &&= last <= key;
    last = key;
  }
  if (inOrder && changed === undefined) return object;
  return Object.fromEntries(keys.sort().map((key) => [key, changed?.get(key) ?? object[key]]));
}
