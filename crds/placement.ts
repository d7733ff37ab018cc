import * as z from 'zod';
import { anyObject } from './any-object.ts';
import { listAtomic, listMap } from './list.ts';

const toleration = z.strictObject({
  key: z.string().max(316).describe('Taint key; empty with operator Exists matches all.').exactOptional(),
  operator: z.enum(['Exists', 'Equal']).describe('Default Equal.').exactOptional(),
  value: z.string().max(63).describe('Taint value.').exactOptional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).describe('Taint effect; empty matches all.').exactOptional(),
  tolerationSeconds: z.int().meta({ format: 'int64' }).describe('How long a NoExecute taint is tolerated.').exactOptional(),
}).describe('A taint that the pods tolerate.');

const topologySpread = z.strictObject({
  maxSkew: z.int32().min(1).describe('How uneven the spread may be.'),
  topologyKey: z.string().min(1).max(316).describe('Node label whose values are the domains.'),
  whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']).describe('What to do when it cannot be kept.'),
  minDomains: z.int32().min(1).describe('Least number of domains.').exactOptional(),
}).describe('How the pods of the pool are spread; the label selector is filled in.');

/** Where pods may run: the scheduling fields of a pod. */
export const placement = z.strictObject({
  nodeSelector: z.record(z.string(), z.string().max(63)).meta({ maxProperties: 32 }).describe('Labels a node must have.').exactOptional(),
  tolerations: listAtomic(toleration, 32).describe('Taints that are tolerated.').exactOptional(),
  affinity: anyObject.describe("Affinity rules, as in a Pod's spec.affinity.").exactOptional(),
  topologySpreadConstraints: listMap(topologySpread, ['topologyKey', 'whenUnsatisfiable'], 8).describe('How the pods are spread over nodes and zones.').exactOptional(),
  priorityClassName: z.string().min(1).max(253).describe('PriorityClass of the pods.').exactOptional(),
});
