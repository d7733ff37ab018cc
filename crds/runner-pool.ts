import * as z from 'zod';
import { anyObject } from './any-object.ts';
import { cel } from './cel.ts';
import { duration } from './duration.ts';
import { envVar } from './env-var.ts';
import type { KindDefinition } from './kind.ts';
import { commonColumns } from './kind.ts';
import { listAtomic, listMap, listSet } from './list.ts';
import { dnsLabel } from './name.ts';
import { placement } from './placement.ts';
import { poolQuota } from './pool-quota.ts';
import { poolScaling, scaleDecision } from './pool-scaling.ts';
import { quantity } from './quantity.ts';
import { commonStatus, timestamp } from './status.ts';

const amounts = z.record(z.string(), quantity).meta({ maxProperties: 8 });
const replicas = z.int32().min(0).max(1000);

const spec = z.strictObject({
  replicas: replicas.describe('Runner pods that are wanted, unless `scaling` decides. Default 1.').exactOptional(),
  scaling: poolScaling.describe('Lets the number of runner pods follow the work. Default: it is `replicas`.').exactOptional(),
  allowedNamespaces: listSet(z.string().min(1).max(63).regex(/^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$/), 256)
    .describe('Namespaces whose workflows may use this pool; * stands for any part of a name. Default: all.').exactOptional(),
  paused: z.boolean().describe('Take no work: what runs goes on, new work is accepted and waits. Default false.').exactOptional(),
  quota: poolQuota.describe('How much may run and wait in the pool, whatever the number of its runners.').exactOptional(),
  maxCrashes: z.int32().min(1).max(100).describe('An execution that took a runner or executor down so often is not tried again but kept as a dead letter. Default 3.').exactOptional(),
  concurrency: z.int32().min(1).max(1000).describe('Executions that one pod runs at the same time. Default 40.').exactOptional(),
  executors: z.int32().min(1).max(64).describe('Executor processes in one pod. Default 2.').exactOptional(),
  image: z.string().min(1).max(512).describe('Image of the runner pods. Default: the image of the operator.').exactOptional(),
  imagePullSecrets: listMap(z.strictObject({ name: z.string().min(1).max(253).describe('Name of the Secret.') }).describe('A Secret to pull images with.'), ['name'], 8)
    .describe('Secrets to pull the image with. Default: those of the operator.').exactOptional(),
  resources: z.strictObject({
    requests: amounts.describe('What a pod is guaranteed.').exactOptional(),
    limits: amounts.describe('What a pod may use at most.').exactOptional(),
  }).describe('CPU and memory of one runner pod. Default: requests of 100m and 384Mi, memory limit 768Mi. The executors share the memory limit.').exactOptional(),
  placement: placement.describe('Where the runner pods may run.').exactOptional(),
  serviceAccountName: dnsLabel.describe('ServiceAccount of the runner pods. Default: the one the installation made for runners.').exactOptional(),
  serviceAccount: z.strictObject({
    annotations: z.record(z.string(), z.string().max(1024)).meta({ maxProperties: 32 }).describe('Annotations of the ServiceAccount, such as those that give the pods an identity at a cloud.').exactOptional(),
  }).describe('Gives the pool a ServiceAccount of its own, millrace-runner-NAME, without any rights.').exactOptional(),
  runtimeClassName: z.string().min(1).max(253).describe('RuntimeClass of the runner pods, such as one that sandboxes them.').exactOptional(),
  networkPolicy: z.strictObject({
    egress: listAtomic(anyObject, 64).describe("Rules as in a NetworkPolicy's spec.egress. DNS and PostgreSQL are always allowed.").exactOptional(),
  }).describe('Gives the pool a NetworkPolicy of its own: the pods reach nothing but what it lists, and are reached for health and metrics only.').exactOptional(),
  disruption: z.strictObject({
    maxUnavailable: z.union([z.int32().min(0), z.string().max(4).regex(/^(100|[0-9]{1,2})%$/)]).meta({ 'x-kubernetes-int-or-string': true })
      .describe('Runner pods that evictions may take at the same time, as a number or a percentage. Default 25%.').exactOptional(),
  }).describe('What a drain of nodes may do to the pool.').exactOptional(),
  env: listMap(envVar, ['name'], 64).describe('Further environment variables of the runner pods.').exactOptional(),
  terminationGracePeriod: duration.describe('How long a pod that is stopped may finish what it runs; the rest is taken over by others. Default 30s.').exactOptional(),
  suspend: z.boolean().describe('Leave the runner pods as they are: changes of this object are not taken over while true.').exactOptional(),
}).meta(cel({
  rule: '!has(self.serviceAccount) || !has(self.serviceAccountName)',
  message: 'give serviceAccount, which makes one, or serviceAccountName, which uses one, not both',
  fieldPath: '.serviceAccount',
})).describe('The fleet of runner pods as it should be.');

const count = z.int32().min(0);

const status = z.strictObject({
  ...commonStatus,
  desiredReplicas: count.describe('Runner pods that are wanted now.').exactOptional(),
  replicas: count.describe('Runner pods that exist.').exactOptional(),
  readyReplicas: count.describe('Runner pods that take work.').exactOptional(),
  updatedReplicas: count.describe('Runner pods of the current template.').exactOptional(),
  selector: z.string().max(1024).describe('Label selector of the runner pods, for autoscalers.').exactOptional(),
  lastScaleTime: timestamp.describe('When the number of wanted runners changed last.').exactOptional(),
  decisions: listAtomic(scaleDecision, 10).describe('The last changes of size by `scaling`, newest first, with why.').exactOptional(),
}).meta({ default: { observedGeneration: -1 } }).describe('The fleet as the operator sees it.');

export type RunnerPoolSpec = z.infer<typeof spec>;
export type RunnerPoolStatus = z.infer<typeof status>;

export const runnerPool = {
  kind: 'RunnerPool',
  plural: 'runnerpools',
  singular: 'runnerpool',
  shortNames: ['mpool'],
  description: 'A fleet of runner pods that execute the workflows which name it. Lives in the namespace of the operator.',
  spec,
  status,
  columns: [
    { name: 'Desired', type: 'integer', jsonPath: '.status.desiredReplicas', description: 'Runner pods that are wanted.' },
    { name: 'Current', type: 'integer', jsonPath: '.status.replicas', description: 'Runner pods that exist.' },
    { name: 'Available', type: 'integer', jsonPath: '.status.readyReplicas', description: 'Runner pods that take work.' },
    { name: 'Image', type: 'string', jsonPath: '.spec.image', description: 'Image, when it is not the default.', priority: 1 },
    ...commonColumns,
  ],
  rules: [{
    rule: 'self.metadata.name.size() <= 40',
    message: 'metadata.name may have at most 40 characters, because the pods of the pool are named after it',
  }],
  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
} as const satisfies KindDefinition;
