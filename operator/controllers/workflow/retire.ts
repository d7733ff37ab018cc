import { StoreError } from '../../../store/error.ts';
import type { Store } from '../../../store/store.ts';
import { WaitingError } from '../../kube/index.ts';
import type { Clock, Log } from '../../kube/index.ts';
import type { Workflow } from '../resources.ts';

/** How long a deleted workflow waits for its executions that run; they go on afterwards, on their stored revision. */
const EXECUTIONS_MS = 30_000;
/** How long it waits for the database. The route of a workflow that is gone is removed when the database is back. */
const STORE_MS = 60_000;

/** Ends the triggers of a workflow that is being deleted. Throws WaitingError while there is something worth waiting for. */
export async function retire({ metadata }: Workflow, { store, clock, log }: { store: Pick<Store, 'routes' | 'executions'>; clock: Clock; log: Log }): Promise<void> {
  const namespace = metadata.namespace ?? '';
  const age = clock.now() - Date.parse(metadata.deletionTimestamp ?? '');
  try {
    await store.routes.remove({ namespace, workflow: metadata.name, uid: metadata.uid ?? '' });
    if (age > EXECUTIONS_MS) return;
    const { executions } = await store.executions.list({ namespace, workflow: metadata.name, status: 'Running', limit: 1 });
    if (executions.length > 0) throw new WaitingError('ExecutionsRunning', { afterMs: 1000, message: `waits up to ${EXECUTIONS_MS / 1000} s for executions that run` });
  } catch (error) {
    if (!(error instanceof StoreError) || !error.transient) throw error;
    if (age <= STORE_MS) throw new WaitingError('StoreUnavailable', { afterMs: 2000, message: 'waits for the database to remove the triggers', cause: error });
    log.warn({ err: error }, 'Let a deleted workflow go without the database; its route is removed later');
  }
}
