import type { Cluster } from '../../operator/kube/index.ts';
import { samplesOf } from './prometheus-text.ts';

const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE', 'DELETECOLLECTION']);

/** Writes that the API server was asked for so far, by `VERB resource/subresource`. Leases are left out: they are how replicas and nodes tell that they live. */
export async function apiWrites(cluster: Cluster): Promise<Map<string, number>> {
  const chunks = await cluster.stream('/metrics', { idleMs: 30_000, signal: new AbortController().signal, accept: 'text/plain' });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  const counts = new Map<string, number>();
  for (const { labels: { verb = '', resource = '', subresource = '' }, value } of samplesOf(text, 'apiserver_request_total')) {
    if (!WRITES.has(verb) || resource === 'leases') continue;
    const name = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
    counts.set(name, (counts.get(name) ?? 0) + value);
  }
  return counts;
}

/** What came between two counts. */
export function writesSince(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const).filter(([, count]) => count > 0));
}

export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
