import type { PodStep, PodSteps } from '../../../store/pod-steps.ts';
import type { Cache, Client, Draft, OwnerReference } from '../../kube/index.ts';
import { WaitingError, isAlreadyExists, ownerReference } from '../../kube/index.ts';
import { EXECUTION_ANNOTATION } from '../labels.ts';
import type { WorkflowRun } from '../resources.ts';

/** Index of WorkflowRuns. */
export const BY_UID = 'uid';
export const uidOf = ({ metadata }: WorkflowRun): string[] => (metadata.uid === undefined ? [] : [metadata.uid]);

const LOOK_MS = 1000;
/** The execution stays in the history for longer. */
const TTL = '1h';

export interface OwnerOptions {
  runs: Pick<Cache<WorkflowRun>, 'byIndex'>;
  client: Pick<Client<WorkflowRun>, 'create' | 'get'>;
  steps: Pick<PodSteps, 'adopt'>;
}

/** The WorkflowRun of an execution, made if it has none: deleting it ends the execution and its pods. */
export async function ownerOf(step: PodStep, { runs, client, steps }: OwnerOptions): Promise<OwnerReference> {
  const { workflowRun: uid, executionId, namespace, workflow } = step;
  if (uid !== undefined) {
    const [run] = runs.byIndex(BY_UID, uid);
    if (run) return ownerReference(run);
    throw new WaitingError('WorkflowRunNotFound', { afterMs: LOOK_MS, message: `waits for the WorkflowRun of execution ${executionId}` });
  }
  const name = `execution-${executionId}`;
  const draft: Draft<WorkflowRun> = {
    metadata: { name, namespace, annotations: { [EXECUTION_ANNOTATION]: executionId } }, spec: { workflowRef: { name: workflow }, ttlAfterFinished: TTL },
  };
  const run = await client.create(draft).catch(async (error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
    return client.get(`${namespace}/${name}`);
  });
  if (run?.metadata.uid === undefined) throw new WaitingError('WorkflowRunNotFound', { afterMs: LOOK_MS, message: `WorkflowRun ${name} has just been deleted` });
  await steps.adopt(executionId, run.metadata.uid);
  return ownerReference(run);
}
