import { createHash } from 'node:crypto';
import { GROUP } from '../../../crds/group.ts';
import type { WorkflowDefinition } from '../../../runner/engine/workflow.ts';
import type { ControllerRevision } from '../../kube/builtin.ts';
import { controllerOf, keyOf, ownerReference } from '../../kube/index.ts';
import type { AnyObject, Draft, Key } from '../../kube/index.ts';
import { MANAGED_BY, label } from '../labels.ts';
import type { Workflow } from '../resources.ts';

/** Annotations, because a cache of metadata alone has to be enough to find what is there. */
const REVISION = `${GROUP}/revision`;
const NUMBER = `${GROUP}/revision-number`;
const DEFAULT_LIMIT = 10;

export interface HistoryPlan {
  /** Number under which the current revision is to be written; absent: it is the newest already. */
  write?: number;
  remove: Key[];
}

/** Which copies of a workflow's revisions to write and to remove. The current one is always the newest and always kept. */
export function planHistory(workflow: Workflow, revision: string, existing: readonly AnyObject[]): HistoryPlan {
  const own = existing
    .filter((copy) => controllerOf(copy)?.uid === workflow.metadata.uid)
    .map((copy) => ({ key: keyOf(copy), revision: copy.metadata.annotations?.[REVISION], number: Number(copy.metadata.annotations?.[NUMBER] ?? 0) }))
    .sort((a, b) => b.number - a.number);
  const newest = own[0];
  const earlier = own.filter((copy) => copy.revision !== revision);
  return {
    ...(newest?.revision === revision ? {} : { write: (newest?.number ?? 0) + 1 }),
    remove: earlier.slice(workflow.spec.revisionHistoryLimit ?? DEFAULT_LIMIT).map(({ key }) => key),
  };
}

/** The copy of a revision that people see in the cluster. */
export function revisionCopy(workflow: Workflow, about: { revision: string; number: number; definition: WorkflowDefinition }): Draft<ControllerRevision> {
  const { name, namespace = '', uid = '' } = workflow.metadata;
  const { id: _, ...data } = about.definition;
  // The UID is in the name, so that a workflow made anew does not meet the copies of its predecessor.
  const suffix = createHash('sha256').update(`${uid}/${about.revision}`).digest('hex').slice(0, 10);
  return {
    metadata: {
      name: `${name}-${suffix}`,
      namespace,
      labels: { [label.managedBy]: MANAGED_BY, [label.workflow]: name },
      annotations: { [REVISION]: about.revision, [NUMBER]: String(about.number) },
      ownerReferences: [ownerReference(workflow)],
    },
    revision: about.number,
    data,
  };
}
