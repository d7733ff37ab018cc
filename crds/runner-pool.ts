import * as z from 'zod';
import { cel } from './cel.ts';
import { duration } from './duration.ts';
import { envVar } from './env-var.ts';
import type { KindDefinition } from './kind.ts';
import { commonColumns } from './kind.ts';
import { listMap } from './list.ts';
import { dnsLabel } from './name.ts';
import { placement } from './placement.ts';
import { quantity } from './quantity.ts';
import { commonStatus } from './status.ts';

const amounts = z.record(z.string(), quantity).meta({ maxProperties: 8 });
const replicas = z.int32().min(0).max(1000);

const spec = z.strictObject({
  replicas: replicas.describe('Runner pods that are wanted, kept between minReplicas and maxReplicas. Default: minReplicas, or else 1.').exactOptional(),
  minReplicas: replicas.describe('Lower bound of replicas.').exactOptional(),
  maxReplicas: replicas.min(1).describe('Upper bound of replicas.').exactOptional(),
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
  env: listMap(envVar, ['name'], 64).describe('Further environment variables of the runner pods.').exactOptional(),
  terminationGracePeriod: duration.describe('How long a pod that is stopped may finish what it runs; the rest is taken over by others. Default 30s.').exactOptional(),
  suspend: z.boolean().describe('Leave the runner pods as they are: changes of this object are not taken over while true.').exactOptional(),
}).meta(cel({
  rule: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
  message: 'minReplicas may not be above maxReplicas',
  fieldPath: '.minReplicas',
})).describe('The fleet of runner pods as it should be.');

const count = z.int32().min(0);

const status = z.strictObject({
  ...commonStatus,
  replicas: count.describe('Runner pods that exist.').exactOptional(),
  readyReplicas: count.describe('Runner pods that take work.').exactOptional(),
  updatedReplicas: count.describe('Runner pods of the current template.').exactOptional(),
  selector: z.string().max(1024).describe('Label selector of the runner pods, for autoscalers.').exactOptional(),
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
    { name: 'Desired', type: 'integer', jsonPath: '.spec.replicas', description: 'Runner pods that are wanted.' },
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
