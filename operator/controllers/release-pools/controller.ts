import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import { runnerPool } from '../../../crds/runner-pool.ts';
import { dnsLabel } from '../../../crds/name.ts';
import { GROUP } from '../../../crds/group.ts';
import { canonicalJson } from '../../kube/json.ts';
import { ConfigMap } from '../../kube/builtin.ts';
import type { Draft, Manager } from '../../kube/index.ts';
import { TerminalError, controllerOf, keyOf, ownerReference, owns, reads, toOwner, watch, writes } from '../../kube/index.ts';
import { MANAGED_BY, label } from '../labels.ts';
import type { Needs } from '../needs.ts';
import { RunnerPool } from '../resources.ts';

export const releasePoolNeeds: Needs = { everywhere: reads(RunnerPool), home: [...reads(ConfigMap), ...owns(ConfigMap), ...writes(RunnerPool)] };

/** What of the release's wish was applied last. Later changes by others, such as an autoscaler's replicas, are left alone until the wish changes. */
const APPLIED = `${GROUP}/release-pool`;
const KEY = 'pools.json';

export interface ReleasePoolControllerOptions {
  manager: Manager;
  home: string;
  /** ConfigMap, in the operator's namespace, with the pools of the release under pools.json: name to spec. */
  configMap: string;
  /** Scope of the cache of pools that the runnerpool controller has too. */
  namespace?: string;
}

/** Creates the RunnerPools of the release. A Helm release cannot: it would have to create objects of a kind that it installs itself. */
export function releasePoolController({ manager, home, configMap, namespace }: ReleasePoolControllerOptions): void {
  const maps = manager.cache(ConfigMap, { namespace: home, fieldSelector: `metadata.name=${configMap}` });
  const pools = manager.cache(RunnerPool, namespace === undefined ? {} : { namespace });
  const client = manager.client(RunnerPool, { fieldManager: 'millrace-release' });
  manager.control({
    name: 'releasepools',
    rbac: [...releasePoolNeeds.everywhere, ...releasePoolNeeds.home],
    watches: [watch(maps), watch(pools, { to: toOwner(ConfigMap) })],
    concurrency: 1,
    async reconcile(key, { signal }) {
      const map = maps.get(key);
      if (map === undefined || map.metadata.deletionTimestamp !== undefined) return {};
      const wanted = parsePools(map.data?.[KEY] ?? '{}');
      for (const [name, spec] of Object.entries(wanted)) {
        const pool = releasePool(map, name, spec);
        const live = pools.get(`${home}/${name}`);
        if (live?.metadata.annotations?.[APPLIED] !== pool.metadata.annotations?.[APPLIED]) await client.apply(pool, { signal });
      }
      for (const pool of pools.list()) {
        if (controllerOf(pool)?.uid === map.metadata.uid && !(pool.metadata.name in wanted)) await client.delete(keyOf(pool), { uid: pool.metadata.uid, signal });
      }
      return {};
    },
  });
}

const poolsSchema = z.record(dnsLabel, runnerPool.spec);

function parsePools(text: string): Record<string, RunnerPoolSpec> {
  try {
    return poolsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new TerminalError('ReleasePoolsInvalid', { message: 'the runner pools of the release are not valid: correct runner.pools in the values of the chart', cause });
  }
}

function releasePool(owner: ConfigMap, name: string, spec: RunnerPoolSpec): Draft<RunnerPool> {
  return {
    metadata: {
      name,
      namespace: owner.metadata.namespace ?? '',
      labels: { [label.managedBy]: MANAGED_BY },
      annotations: { [APPLIED]: createHash('sha256').update(canonicalJson(spec)).digest('hex').slice(0, 16) },
      ownerReferences: [ownerReference(owner)],
    },
    spec,
  };
}
