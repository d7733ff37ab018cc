import type { Connection } from '../../runner/engine/workflow.ts';
import { isRecord, listOf, recordOf } from './n8n-workflow.ts';

/** The wires of `connections[source][type][output] = [{node, type, index}]`. Gaps in the list of outputs are null. */
export function importConnections(connections: unknown, isKept: (node: string) => boolean): Connection[] {
  const found: Connection[] = [];
  for (const [from, byType] of Object.entries(recordOf(connections))) {
    for (const [type, outputs] of Object.entries(recordOf(byType))) {
      listOf(outputs).forEach((targets, output) => {
        for (const target of listOf(targets)) if (isKept(from)) found.push(...wire({ from, output, type }, target, isKept));
      });
    }
  }
  return found;
}

function wire(source: Pick<Connection, 'from' | 'output' | 'type'>, target: unknown, isKept: (node: string) => boolean): Connection[] {
  if (!isRecord(target) || typeof target['node'] !== 'string' || !isKept(target['node'])) return [];
  const index = target['index'];
  return [{ ...source, to: target['node'], input: typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index : 0 }];
}
