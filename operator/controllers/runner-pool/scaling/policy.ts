import type { PoolScaling } from '../../../../crds/pool-scaling.ts';
import type { ScalingPolicy } from './decide.ts';
import { isOpen } from './schedule-window.ts';

const DEFAULT = { minReplicas: 1, maxReplicas: 10, targetWaitSeconds: 10, stabilizationSeconds: 120 };

/** What holds at a time (milliseconds since the epoch), with the schedules and the defaults filled in. */
export function policyAt(scaling: PoolScaling, now: number): ScalingPolicy {
  const open = scaling.schedules?.find((schedule) => isOpen(schedule, now));
  const minReplicas = open?.minReplicas ?? scaling.minReplicas ?? DEFAULT.minReplicas;
  return {
    minReplicas,
    // A schedule may raise the one and leave the other.
    maxReplicas: Math.max(open?.maxReplicas ?? scaling.maxReplicas ?? DEFAULT.maxReplicas, minReplicas),
    targetWaitMs: (scaling.targetWaitSeconds ?? DEFAULT.targetWaitSeconds) * 1000,
    stabilizationMs: (scaling.scaleDown?.stabilizationSeconds ?? DEFAULT.stabilizationSeconds) * 1000,
  };
}
