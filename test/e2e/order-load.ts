import { setTimeout as delay } from 'node:timers/promises';
import type { Millrace } from './millrace.ts';

const INTERVAL_MS = 500;
const PATIENCE_MS = 180_000;
/** A machine that is switched off does not even refuse. */
const ATTEMPT_MS = 20_000;

/** Orders that come in steadily while a test breaks things. */
export interface OrderLoad {
  readonly acknowledged: ReadonlySet<number>;
  /** How many were sent; they are numbered from 0. */
  readonly sent: number;
  /** Sends no more, and waits until every order sent is acknowledged. Resolves to all that were sent. */
  stop(): Promise<number[]>;
}

/** Calls the webhook at fixed times, each call with an idempotency key and again until it is acknowledged, as a careful caller does. */
export function startOrders(millrace: Millrace, path: string): OrderLoad {
  const acknowledged = new Set<number>();
  const pending: Promise<void>[] = [];
  const stop = new AbortController();

  async function send(order: number): Promise<void> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await delay(250)) {
      // A gateway that is just being replaced answers nothing, or something that is not JSON.
      const headers = { 'idempotency-key': `order-${order}` };
      const answer = await millrace.webhook(path, { order }, headers, AbortSignal.timeout(ATTEMPT_MS)).catch(() => undefined);
      if (answer?.status === 200) {
        acknowledged.add(order);
        return;
      }
    }
  }

  async function run(): Promise<void> {
    for (let order = 0; !stop.signal.aborted; order += 1) {
      pending.push(send(order));
      await delay(INTERVAL_MS);
    }
  }

  const running = run();
  return {
    acknowledged,
    get sent() { return pending.length; },
    async stop() {
      stop.abort();
      await running;
      await Promise.all(pending);
      return pending.map((_, order) => order);
    },
  };
}
