import type { Graph } from './graph.ts';
import { parameterName } from './parameter-reader.ts';

/** Which nodes' finished runs an expression or Code node of the workflow can still ask for. */
export interface Retention {
  /** Whether anything names this node, as `$('Node')` does. */
  isReferenced(node: string): boolean;
  /** Whether anything may follow items back through the runs in between, as `.item` does. */
  readonly followsItems: boolean;
}

/** `$('Name')`, `$items("Name")`, `$node["Name"]` and `$node.Name`, as they stand in expressions and code. */
const REFERENCE = /\$(?:items)?\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`$\\]*)`)|\$node(?:\[\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*\]|\.([\p{L}_$][\p{L}\p{N}_$]*))/gu;
/** Anything that reaches for other nodes' runs, understood or not; a lone `$` might be handed on under another name. */
const ANY_REFERENCE = /\$(?:items\s*\(|node\b|evaluateExpression|(?![\p{L}\p{N}_${]))|\beval\b|\b_node\b|\b_\s*\(/gu;

const known = new WeakMap<Graph, Retention>();

/** Reads all parameters once per graph. A reference that is not a plain name makes every node count as referenced. */
export function retentionOf(graph: Graph): Retention {
  const cached = known.get(graph);
  if (cached) return cached;
  // A compensation gets the items of what it undoes.
  const undone = new Set([...graph.nodes.values()].filter(({ compensations }) => compensations.length > 0).map(({ name }) => name));
  const names = new Set<string>();
  let isDynamic = false;
  for (const { node, type } of graph.nodes.values()) {
    const literal = new Set((type?.parameters ?? []).filter(({ literal, type: kind }) => literal || kind === 'code').map(({ name }) => name));
    for (const [name, value] of Object.entries(node.parameters ?? {})) {
      for (const text of activeTexts(value, literal.has(parameterName(name)))) isDynamic = !collect(text, names) || isDynamic;
    }
  }
  const retention = { isReferenced: (name: string) => isDynamic || names.has(name) || undone.has(name), followsItems: isDynamic || names.size > 0 };
  known.set(graph, retention);
  return retention;
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
