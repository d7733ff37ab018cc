import { WorkflowError } from '../../engine/error.ts';
import type { BinaryReference, Item, JsonObject, PairedItem } from '../../engine/item.ts';
import type { BinaryStore } from '../../engine/host.ts';
import { toJson } from '../json-clean.ts';
import { asList, isObject, textOrNone } from '../json-value.ts';

/** What an item may have beside `json`. */
const ITEM_KEYS = new Set(['json', 'binary', 'pairedItem', 'error', 'index', 'metadata', 'evaluationData']);

const bad = (message: string, itemIndex?: number): WorkflowError =>
  new WorkflowError('CodeOutput', message, itemIndex === undefined ? {} : { itemIndex });

/** What code in "all items" mode returned, as items. `null` is no items. Throws WorkflowError CodeOutput. */
export async function itemsFromAll(returned: unknown, binaries: BinaryStore): Promise<Item[]> {
  if (returned === null) return [];
  const list = isObject(returned) ? [returned] : returned;
  if (!Array.isArray(list) || !list.every(isObject)) {
    throw bad('The code has to return a list of objects, one per item, such as `[{ json: { id: 1 } }]`.');
  }
  const wrapped = list.some((entry) => 'json' in entry || isObject(entry.binary));
  const items = list.map((entry, index) => (wrapped ? checkedItem(entry, index) : plainItem(entry)));
  if (wrapped) for (const [index, entry] of list.entries()) await addFiles(items[index], entry.binary, binaries);
  return items;
}

/** What code in "each item" mode returned for one item; `null` drops it. Throws WorkflowError CodeOutput. */
export async function itemFromEach(returned: unknown, index: number, binaries: BinaryStore): Promise<Item[]> {
  if (returned === null) return [];
  if (!isObject(returned)) throw bad('The code has to return one object for each item, such as `{ json: { id: 1 } }`.', index);
  const wrapped = 'json' in returned || isObject(returned.binary);
  const item = wrapped ? checkedItem(returned, index) : plainItem(returned);
  if (wrapped) await addFiles(item, returned.binary, binaries);
  item.pairedItem = { item: index };
  return [item];
}

function plainItem(entry: JsonObject): Item {
  const json = toJson(entry);
  return { json: isObject(json) ? json : {} };
}

function checkedItem(entry: JsonObject, index: number): Item {
  const unknown = Object.keys(entry).find((key) => !ITEM_KEYS.has(key));
  if (unknown !== undefined) throw bad(`Item ${index} has the unknown key "${unknown}" beside "json". Put fields inside "json".`, index);
  const json = toJson(entry.json ?? {});
  if (!isObject(json)) throw bad(`The "json" of item ${index} is not an object.`, index);
  const item: Item = { json };
  const pairedItem = pairedFrom(entry.pairedItem);
  if (pairedItem !== undefined) item.pairedItem = pairedItem;
  return item;
}

function onePair(value: unknown): PairedItem | undefined {
  if (typeof value === 'number') return { item: value };
  if (!isObject(value) || typeof value.item !== 'number') return undefined;
  const pair: PairedItem = typeof value.input === 'number' ? { item: value.item, input: value.input } : { item: value.item };
  const { source } = value;
  if (isObject(source) && typeof source.node === 'string') pair.source = { node: source.node, output: Number(source.output ?? 0), run: Number(source.run ?? 0) };
  return pair;
}

function pairedFrom(value: unknown): PairedItem | PairedItem[] | undefined {
  if (!Array.isArray(value)) return onePair(value);
  return asList(value).flatMap((entry) => onePair(entry) ?? []);
}

/** Files that code made: references are kept, base64 literals are stored. */
async function addFiles(item: Item | undefined, value: unknown, binaries: BinaryStore): Promise<void> {
  if (!item || !isObject(value)) return;
  for (const [name, file] of Object.entries(value)) {
    const stored = await storedFile(file, binaries);
    if (stored) item.binary = { ...item.binary, [name]: stored };
  }
}

const isReference = (value: JsonObject): value is JsonObject & BinaryReference =>
  typeof value.id === 'string' && typeof value.sha256 === 'string' && typeof value.size === 'number' && typeof value.mimeType === 'string';

async function storedFile(value: unknown, binaries: BinaryStore): Promise<BinaryReference | undefined> {
  if (!isObject(value)) return undefined;
  if (isReference(value)) return value;
  if (typeof value.data !== 'string') return undefined;
  const fileName = textOrNone(value.fileName);
  const fileExtension = textOrNone(value.fileExtension);
  return binaries.put(Buffer.from(value.data, 'base64'), {
    mimeType: textOrNone(value.mimeType) ?? 'text/plain', ...(fileName && { fileName }), ...(fileExtension && { fileExtension }),
  });
}
