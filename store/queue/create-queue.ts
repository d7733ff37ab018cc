import type { Database } from '../database.ts';
import type { StoreReason } from '../error.ts';
import type { Notifications } from '../notifications.ts';
import type { StoreObserver } from '../observer.ts';
import type { Payloads } from '../payloads.ts';
import type { Queue } from '../queue.ts';
import { createCancel } from './cancel.ts';
import { createProgress } from './checkpoint.ts';
import { createClaim } from './claim.ts';
import { readClaims } from './claim-payloads.ts';
import { createCrashes } from './crash.ts';
import { createEnqueue } from './enqueue.ts';
import { createFinish } from './finish.ts';
import { createRunnerLeases } from './renew.ts';
import { createStats } from './stats.ts';
import { createWaits } from './wait.ts';

export interface QueueParts {
  database: Database;
  notifications: Notifications;
  nextId(): string;
  observer: StoreObserver;
  payloads: Payloads;
  /** An execution was claimed, and cannot start now, because its payloads cannot be read. */
  onUnreadable(executionId: string, code: StoreReason): void;
}

export function createQueue(parts: QueueParts): Queue {
  const { database, notifications, payloads } = parts;
  const leases = createRunnerLeases(database, notifications);
  const { crash, reap } = createCrashes(database, notifications);
  const cancel = createCancel(database, notifications);
  return {
    enqueue: createEnqueue({ ...parts, cancel }),
    claim: createClaim(database, readClaims({ ...parts, crash })),
    ...createProgress(database, notifications, payloads),
    finish: createFinish(database, notifications, payloads),
    ...createWaits(database, notifications, payloads),
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
