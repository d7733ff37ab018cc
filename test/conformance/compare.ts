import { isDeepStrictEqual } from 'node:util';
import type { RecordedItem, RecordedRun, Recording, SingleRecording } from './case.ts';

/**
 * What differs between two recordings, by the suite's rules: status, order, runs, JSON, files, pairing and sources have to
 * match; of errors only the node and that there is one; trailing empty outputs count as absent.
 */
export function compareRecordings(expected: Recording, actual: Recording): string[] {
  return [
    ...(expected.runs ? compareRuns(expected, actual) : compareSingle(expected, actual)),
    ...Object.entries(expected.subExecutions ?? {}).flatMap(([id, children]) => {
      const found = actual.subExecutions?.[id] ?? [];
      return [
        ...differs(`${id}: executions`, children.length, found.length),
        ...children.flatMap((child, index) => compareSingle(child, found[index] ?? {}).map((text) => `${id}[${index}] ${text}`)),
      ];
    }),
  ];
}

function compareRuns(expected: Recording, actual: Recording): string[] {
  const { runs = [], responses = [] } = expected;
  return [
    ...differs('runs', runs.length, actual.runs?.length ?? 0),
    ...runs.flatMap((run, index) => compareSingle(run, actual.runs?.[index] ?? {}).map((text) => `runs[${index}] ${text}`)),
    ...responses.flatMap((response, index) => {
      const found = actual.responses?.[index];
      const status = differs(`responses[${index}].status`, response.status, found?.status);
      return response.status >= 400 ? status : [...status, ...differs(`responses[${index}].body`, parsed(response.body), parsed(found?.body))];
    }),
  ];
}

function compareSingle(expected: SingleRecording, actual: SingleRecording): string[] {
  const names = new Set([...Object.keys(expected.nodes ?? {}), ...Object.keys(actual.nodes ?? {})]);
  return [
    ...differs('status', expected.status, actual.status),
    ...differs('order', expected.order?.join(' '), actual.order?.join(' ')),
    ...compareError(expected.error, actual.error),
    ...[...names].flatMap((name) => compareNode(name, expected.nodes?.[name] ?? [], actual.nodes?.[name] ?? [])),
  ];
}

function compareError(expected: SingleRecording['error'], actual: SingleRecording['error']): string[] {
  if (!expected) return [];
  return actual ? (expected.node === undefined ? [] : differs('error.node', expected.node, actual.node)) : ['an error is missing'];
}

function compareNode(name: string, expected: RecordedRun[], actual: RecordedRun[]): string[] {
  if (expected.length !== actual.length) return differs(`${name}: runs`, expected.length, actual.length);
  return expected.flatMap((run, index) => compareRun(run, actual[index] ?? { status: 'missing' }).map((text) => `${name}#${index} ${text}`));
}

function compareRun(expected: RecordedRun, actual: RecordedRun): string[] {
  const wanted = trimmed(expected.outputs);
  const found = trimmed(actual.outputs);
  const outputs = Array.from({ length: Math.max(wanted.length, found.length) }, (_, output) => {
    const items = wanted[output] ?? [];
    const others = found[output] ?? [];
    if (items.length !== others.length) return differs(`output ${output}: items`, items.length, others.length);
    return items.flatMap((item, index) => compareItem(item, others[index]).map((text) => `output ${output} item ${index} ${text}`));
  });
  return [
    ...differs('status', expected.status, actual.status),
    ...differs('source', expected.source ?? [], actual.source ?? []),
    ...outputs.flat(),
  ];
}

function compareItem(expected: RecordedItem, actual: RecordedItem | undefined): string[] {
  return [
    ...differs('json', withoutWording(expected.json), withoutWording(actual?.json)),
    ...differs('pairedItem', pairs(expected.pairedItem), pairs(actual?.pairedItem)),
    ...differs('binary', files(expected.binary), files(actual?.binary)),
  ];
}

/** The wording of an item's error is for information. */
function withoutWording(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || !('error' in json) || !json.error) return json;
  return typeof json.error === 'string' || typeof json.error === 'object' ? { ...json, error: '<an error>' } : json;
}

/** `n`, `{item: n}` and `{item: n, input: 0}` are the same pair; lists are sets. */
function pairs(pairedItem: unknown): string[] | undefined {
  if (pairedItem === undefined || pairedItem === null) return undefined;
  const all = Array.isArray(pairedItem) ? (pairedItem as unknown[]) : [pairedItem];
  const keys = all.map((each) => {
    const { item, input = 0 } = (typeof each === 'number' ? { item: each } : each) as { item: number; input?: number };
    return `${input}:${item}`;
  });
  return [...new Set(keys)].sort();
}

function files(binary: RecordedItem['binary']): unknown {
  return Object.fromEntries(Object.entries(binary ?? {}).map(([name, { mimeType, fileName, size, sha256 }]) => [name, { mimeType, fileName, size, sha256 }]));
}

function trimmed(outputs: RecordedRun['outputs']): RecordedItem[][] {
  const all = (outputs ?? []).map((items) => items ?? []);
  return all.slice(0, all.findLastIndex((items) => items.length > 0) + 1);
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function differs(what: string, expected: unknown, actual: unknown): string[] {
  if (isDeepStrictEqual(expected, actual)) return [];
  return [`${what}: expected ${shown(expected)}, found ${shown(actual)}`];
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
