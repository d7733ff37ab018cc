import type { Store } from '../store/store.ts';
import type { Health } from './health-server.ts';

/** Says that the object storage fails, and no more: whatever needs nothing that is in it goes on, so that a role stays ready. */
export function withObjectStorage<H extends Health>(health: H, store: Pick<Store, 'objectStorageProblem'>): H {
  const code = store.objectStorageProblem();
  return code === undefined ? health : { ...health, problems: [...health.problems, `object storage: ${code}`] };
}
