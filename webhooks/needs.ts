import { RunnerPool, Workflow } from '../operator/controllers/resources.ts';
import { Secret } from '../operator/kube/builtin.ts';
import { reads } from '../operator/kube/rbac.ts';

/** What the webhooks have to be allowed: where Workflows are watched, and in their own namespace (on one Secret by name, and on pools). */
export const webhookNeeds = { everywhere: reads(Workflow), home: reads(Secret), pools: reads(RunnerPool) };
