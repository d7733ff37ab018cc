import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import type { PoolRules } from '../../../store/pools.ts';

/** How the queue is to treat a pool. */
export function rulesOf({ paused = false, maxCrashes, quota = {} }: RunnerPoolSpec): PoolRules {
  const { maxRunning, maxQueued, perNamespace = {} } = quota;
  return {
    paused,
    ...(maxRunning !== undefined && { maxRunning }),
    ...(maxQueued !== undefined && { maxQueued }),
    ...(perNamespace.maxRunning !== undefined && { namespaceMaxRunning: perNamespace.maxRunning }),
    ...(perNamespace.maxQueued !== undefined && { namespaceMaxQueued: perNamespace.maxQueued }),
    ...(maxCrashes !== undefined && { maxCrashes }),
  };
}

/** The same for its executions with pods of their own: how many run at once is how many pods there may be. */
export function isolatedRulesOf({ paused = false, maxQueued, namespaceMaxQueued, maxCrashes }: PoolRules): PoolRules {
  return {
    paused, ...(maxQueued !== undefined && { maxQueued }), ...(namespaceMaxQueued !== undefined && { namespaceMaxQueued }), ...(maxCrashes !== undefined && { maxCrashes }),
  };
}
