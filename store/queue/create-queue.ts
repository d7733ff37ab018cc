import type { Database } from '../database.ts';
import type { Notifications } from '../notifications.ts';
import type { StoreObserver } from '../observer.ts';
import type { Queue } from '../queue.ts';
import { createCancel } from './cancel.ts';
import { createProgress } from './checkpoint.ts';
import { createClaim } from './claim.ts';
import { createCrashes } from './crash.ts';
import { createEnqueue } from './enqueue.ts';
import { createFinish } from './finish.ts';
import { createRunnerLeases } from './renew.ts';
import { createStats } from './stats.ts';
import { createWaits } from './wait.ts';

export function createQueue(parts: { database: Database; notifications: Notifications; nextId(): string; observer: StoreObserver }): Queue {
  const { database, notifications } = parts;
  const leases = createRunnerLeases(database, notifications);
  const { crash, reap } = createCrashes(database, notifications);
  const cancel = createCancel(database, notifications);
  return {
    enqueue: createEnqueue({ ...parts, cancel }),
    claim: createClaim(database),
    ...createProgress(database, notifications),
    finish: createFinish(database, notifications),
    ...createWaits(database, notifications),
    release: leases.release,
    leave: leases.leave,
    async renew(options) {
      const renewed = await leases.renew(options);
      await reap();
      return renewed;
    },
    crash,
    reap,
    cancel,
    stats: createStats(database),
  };
}
