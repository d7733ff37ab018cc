import type { Cluster, Key } from '../../kube/index.ts';
import { KubeError, splitKey } from '../../kube/index.ts';
import { MAX_LOG_BYTES } from './container-result.ts';
import { MAIN } from './pod.ts';

/** What is asked for at least; of longer lines the beginning counts. */
const TAIL_LINES = 2000;
const READ_BYTES = 1024 * 1024;
const IDLE_MS = 5000;
const LIMIT_MS = 15_000;

/** The end of what the main container printed, or undefined when its node does not hand it out (any more). */
export async function readPodLog(cluster: Pick<Cluster, 'stream'>, pod: Key, signal: AbortSignal): Promise<string | undefined> {
  const { namespace, name } = splitKey(pod);
  const chunks: Uint8Array[] = [];
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    const query = { container: MAIN, tailLines: TAIL_LINES, limitBytes: READ_BYTES };
    const stream = await cluster.stream(`/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(name)}/log`, { query, signal: AbortSignal.any([signal, limit]), idleMs: IDLE_MS, accept: '*/*' });
    for await (const chunk of stream) chunks.push(chunk);
  } catch (error) {
    if (error instanceof KubeError || (limit.aborted && !signal.aborted)) return undefined;
    throw error;
  }
  return Buffer.concat(chunks).subarray(-MAX_LOG_BYTES).toString('utf8');
}
