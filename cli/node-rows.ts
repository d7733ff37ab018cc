import { duration } from './table.ts';

/** What every view of a node run shows. */
export interface NodeRow {
  node: string;
  runIndex: number;
  status: 'success' | 'error';
  /** Items per output; null for an output that was never written. */
  items: readonly (number | null)[];
  durationMs: number;
  error?: { code: string; message: string } | undefined;
  /** It belongs to a branch that undid another run. */
  compensation?: boolean | undefined;
}

export const nodeHeader = ['NODE', 'RUN', 'STATUS', 'ITEMS', 'TIME', 'ERROR'] as const;

/** One line of a node table: `Big?  0  success  1, 0  2ms`. */
export function nodeCells({ node, runIndex, status, items, durationMs, error, compensation }: NodeRow): string[] {
  const counts = items.length === 0 ? '0' : items.map((count) => String(count ?? 0)).join(', ');
  return [node, String(runIndex), compensation ? `${status}, undo` : status, counts, durationMs < 10 ? `${durationMs.toFixed(1)}ms` : duration(durationMs), error ? `${error.code}: ${error.message}` : ''];
}
