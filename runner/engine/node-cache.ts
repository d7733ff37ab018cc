import { createHash } from 'node:crypto';
import { durationMs } from './duration.ts';
import { hasErrorItem } from './error-routing.ts';
import type { Execution } from './execution.ts';
import { isCached } from './graph.ts';
import type { GraphNode } from './graph.ts';
import type { Item } from './item.ts';
import { ExecutionMode } from './node-run.ts';
import type { NodeContext } from './node-type.ts';

/** What a host remembers of results over executions. It may forget at any time, and must give nothing older than it was told to. */
export interface ResultCache {
  /** Undefined when there is nothing. Never rejects for want of a cache. */
  read(key: string): Promise<string | undefined>;
  write(entry: { key: string; outputs: string; ttlMs: number }): void;
}

type Outputs = (Item[] | null)[];

/** The cache as one run of a node sees it. */
export interface RunCache {
  read(): Promise<Outputs | undefined>;
  /** Keeps what the node put out, unless an item failed or refers to a file: files are gone with their execution. */
  write(outputs: Outputs): void;
}

/** Undefined when this run has to execute: nobody asked for a cache, a person is testing, or the key cannot be told beforehand. */
export function cacheOf(execution: Execution, node: GraphNode, context: NodeContext): RunCache | undefined {
  const { cache } = execution.tree.host;
  const policy = node.node.cache;
  if (!cache || !policy || !isCached(node) || execution.mode === ExecutionMode.Manual) return undefined;
  const key = keyOf(execution, node, context);
  if (key === undefined) return undefined;
  return {
    async read() {
      const found = await cache.read(key);
      return found === undefined ? undefined : (JSON.parse(found) as Outputs);
    },
    write(outputs) {
      if (outputs.some((items) => hasErrorItem(items ?? []) || items?.some(({ binary }) => binary !== undefined))) return;
      cache.write({ key, outputs: JSON.stringify(outputs), ttlMs: durationMs(policy.ttl) });
    },
  };
}

/**
 * Equal for runs that would give the same: the node as it is written in its workflow, and either the key it names or its input with
 * every parameter as it is for every item. Files count by what is in them.
 */
function keyOf(execution: Execution, { node, name }: GraphNode, context: NodeContext): string | undefined {
  const { type, typeVersion, parameters, credentials, executeOnce } = node;
  try {
    const input = node.cache?.key === undefined ? context.input().map((item, index) => [contentOf(item), resolved(node.parameters ?? {}, context, index)]) : context.evaluate(node.cache.key, 0);
    const identity = [execution.owner, execution.workflow.id, execution.graph.compat, name, type, typeVersion, parameters, credentials, executeOnce, node.cache?.key, input];
    return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  } catch (error) {
    execution.signal.throwIfAborted();
    execution.tree.host.onConsole?.({ node: name, level: 'warn', text: `The result is not cached, because its key cannot be told: ${error instanceof Error ? error.message : String(error)}` });
    return undefined;
  }
}

function resolved(parameters: object, context: NodeContext, index: number): unknown[] {
  return Object.keys(parameters).map((path) => context.parameter(path, index));
}

function contentOf({ json, binary }: Item): unknown {
  return [json, binary && Object.entries(binary).map(([property, { sha256, mimeType, fileName, directory }]) => [property, sha256, mimeType, fileName, directory])];
}
