import type { GraphNode } from './graph.ts';

/** Name of the output that leads through a loop's body and back to the loop. */
const LOOP_OUTPUT = 'loop';

/** The nodes that a loop leads to by its output "loop", up to the loop itself, which is not among them. */
export function loopBody(loop: GraphNode): ReadonlySet<GraphNode> {
  const body = new Set<GraphNode>();
  const due = targetsOf(loop, loopOutput(loop));
  for (let next = due.pop(); next; next = due.pop()) {
    if (next === loop || body.has(next)) continue;
    body.add(next);
    due.push(...next.targets.flat().map(({ node }) => node));
  }
  return body;
}

/** Wires by which something gets into a body that does not come from its loop's "loop": the nodes they leave and reach. */
export function wiresInto(loop: GraphNode, body: ReadonlySet<GraphNode>): { from: GraphNode; to: GraphNode }[] {
  const output = loopOutput(loop);
  return [...body].flatMap((to) => to.feeds.flat()
    .filter((feed) => !body.has(feed.node) && !(feed.node === loop && feed.output === output))
    .map(({ node: from }) => ({ from, to })));
}

function loopOutput({ outputs }: GraphNode): number {
  return outputs.indexOf(LOOP_OUTPUT);
}

function targetsOf({ targets }: GraphNode, output: number): GraphNode[] {
  return (targets[output] ?? []).map(({ node }) => node);
}
