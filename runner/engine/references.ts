import type { GraphNode } from './graph.ts';
import { parameterName } from './parameter-reader.ts';

/** `$('Name')`, `$items("Name")`, `$node["Name"]` and `$node.Name`, as they stand in expressions and code. */
const REFERENCE = /\$(?:items)?\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`$\\]*)`)|\$node(?:\[\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*\]|\.([\p{L}_$][\p{L}\p{N}_$]*))/gu;
/** Anything that reaches for other nodes' runs, understood or not; a lone `$` might be handed on under another name. */
const ANY_REFERENCE = /\$(?:items\s*\(|node\b|evaluateExpression|(?![\p{L}\p{N}_${]))|\beval\b|\b_node\b|\b_\s*\(/gu;
const STATIC_DATA = /StaticData/u;

/** What the expressions and the code of a node may reach beside its input. */
export interface References {
  /** Nodes whose finished runs it may look at; undefined: any. */
  readonly names: ReadonlySet<string> | undefined;
  /** Whether its code may ask for static data. */
  readonly staticData: boolean;
}

const known = new WeakMap<GraphNode, References>();

/** Reads all parameters once per node of a graph. A reference that is not a plain name counts as a reference to every node. */
export function referencesOf(node: GraphNode): References {
  const cached = known.get(node);
  if (cached) return cached;
  const { cache, distribute } = node.node;
  const references = referencesIn([...parameterTexts(node), ...activeTexts([cache?.key, distribute?.key, distribute?.from], false)]);
  known.set(node, references);
  return references;
}

/** What the parameters of a node may reach, without its `cache` and `distribute`. */
export function parameterReferences(node: Pick<GraphNode, 'node' | 'type'>): References {
  return referencesIn(parameterTexts(node));
}

function referencesIn(texts: Iterable<string>): References {
  const names = new Set<string>();
  let isPlain = true;
  let staticData = false;
  for (const text of texts) {
    isPlain = collect(text, names) && isPlain;
    staticData ||= STATIC_DATA.test(text);
  }
  return { names: isPlain ? names : undefined, staticData };
}

function* parameterTexts({ node, type }: Pick<GraphNode, 'node' | 'type'>): Iterable<string> {
  const literal = new Set((type?.parameters ?? []).filter(({ literal, type: kind }) => literal || kind === 'code').map(({ name }) => name));
  for (const [name, value] of Object.entries(node.parameters ?? {})) yield* activeTexts(value, literal.has(parameterName(name)));
}

/** Expressions, and the text of parameters that are code. */
function* activeTexts(value: unknown, isCode: boolean): Iterable<string> {
  if (typeof value === 'string') {
    if (isCode || value.startsWith('=')) yield value;
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) yield* activeTexts(each, isCode);
  }
}

/** Adds the names a text refers to; false when it refers to something else than plain names. */
function collect(text: string, names: Set<string>): boolean {
  let understood = 0;
  for (const [whole, ...groups] of text.matchAll(REFERENCE)) {
    const name = groups.find((group) => group !== undefined) ?? '';
    if (name.includes('\\') || whole === '') continue;
    names.add(name);
    understood += 1;
  }
  return [...text.matchAll(ANY_REFERENCE)].length === understood;
}
