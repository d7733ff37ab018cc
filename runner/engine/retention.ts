import type { Graph } from './graph.ts';
import { referencesOf } from './references.ts';

/** Which nodes' finished runs an expression or Code node of the workflow can still ask for. */
export interface Retention {
  /** Whether anything names this node, as `$('Node')` does. */
  isReferenced(node: string): boolean;
  /** Whether anything may follow items back through the runs in between, as `.item` does. */
  readonly followsItems: boolean;
}

const known = new WeakMap<Graph, Retention>();

/** Reads all parameters once per graph. A reference that is not a plain name makes every node count as referenced, and whoever asks for an execution's result refers to the node that gives it. */
export function retentionOf(graph: Graph, result?: string): Retention {
  const retention = knownRetention(graph);
  return result === undefined ? retention : { ...retention, isReferenced: (name) => name === result || retention.isReferenced(name) };
}

function knownRetention(graph: Graph): Retention {
  const cached = known.get(graph);
  if (cached) return cached;
  // A compensation gets the items of what it undoes.
  const undone = new Set([...graph.nodes.values()].filter(({ compensations }) => compensations.length > 0).map(({ name }) => name));
  const names = new Set<string>();
  let isDynamic = false;
  for (const node of graph.nodes.values()) {
    const references = referencesOf(node);
    if (references.names === undefined) isDynamic = true;
    for (const name of references.names ?? []) names.add(name);
  }
  const retention = { isReferenced: (name: string) => isDynamic || names.has(name) || undone.has(name), followsItems: isDynamic || names.size > 0 };
  known.set(graph, retention);
  return retention;
}
