import { GROUP, VERSION } from '../../crds/group.ts';
import type { RunnerPoolSpec, RunnerPoolStatus } from '../../crds/runner-pool.ts';
import { runnerPool } from '../../crds/runner-pool.ts';
import type { WorkflowRunSpec, WorkflowRunStatus } from '../../crds/workflow-run.ts';
import { workflowRun } from '../../crds/workflow-run.ts';
import type { WorkflowSpec, WorkflowStatus } from '../../crds/workflow.ts';
import { workflow } from '../../crds/workflow.ts';
import type { KindDefinition } from '../../crds/kind.ts';
import type { KubeObject } from '../kube/object.ts';
import { resource } from '../kube/resource.ts';

const ours = ({ kind, plural }: KindDefinition) => ({ group: GROUP, version: VERSION, kind, plural });

export type Workflow = KubeObject<WorkflowSpec, WorkflowStatus>;
export const Workflow = resource<Workflow>(ours(workflow));
export type WorkflowRun = KubeObject<WorkflowRunSpec, WorkflowRunStatus>;
export const WorkflowRun = resource<WorkflowRun>(ours(workflowRun));
export type RunnerPool = KubeObject<RunnerPoolSpec, RunnerPoolStatus>;
export const RunnerPool = resource<RunnerPool>(ours(runnerPool));
