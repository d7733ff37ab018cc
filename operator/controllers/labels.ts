import { GROUP } from '../../crds/group.ts';

/** Labels of objects that the operator makes. `instance` is for pods only: on anything else GitOps tools take it for their own and prune it. */
export const label = {
  managedBy: 'app.kubernetes.io/managed-by',
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  component: 'app.kubernetes.io/component',
  runnerPool: `${GROUP}/runner-pool`,
  workflow: `${GROUP}/workflow`,
  /** Id of the execution that a pod is for. */
  execution: `${GROUP}/execution`,
} as const;

/** Of a WorkflowRun that was made for an execution that had none: its id. */
export const EXECUTION_ANNOTATION = `${GROUP}/execution`;

/** Of Workflows: they go once their route is gone from the database. */
export const WORKFLOW_FINALIZER = `${GROUP}/workflow`;

export const MANAGED_BY = 'millrace-operator';
