import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { Agent } from 'undici';

export interface OpenLoopOptions {
  url: string;
  /** Requests per second. */
  rate: number;
  /** How many to send. */
  count: number;
  /** Body of the nth request, sent as JSON. */
  body(index: number): unknown;
  /** Whether the answer is the right one. Default: any 2xx. */
  accept?: ((answer: { status: number; text: string }, index: number) => boolean) | undefined;
}

export interface OpenLoopResult {
  /** Milliseconds from when each request was due to the end of its answer, errors included. */
  latencies: number[];
  errors: number;
}

/**
 * Sends requests at fixed times, whether earlier ones have been answered or not, and counts from the time each was due: a
 * server that stalls is charged for every request it kept waiting, not only for the one it stalled on (no coordinated omission).
 */
export async function openLoop({ url, rate, count, body, accept = ({ status }) => status >= 200 && status < 300 }: OpenLoopOptions): Promise<OpenLoopResult> {
  const agent = new Agent({ connections: 256, pipelining: 1 });
  const { origin, pathname } = new URL(url);
  const latencies: number[] = [];
  let errors = 0;

  async function send(index: number, due: number): Promise<void> {
    const request: Dispatcher.RequestOptions = { origin, path: pathname, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body(index)) };
    try {
      const answer = await agent.request(request);
      const text = await answer.body.text();
      if (!accept({ status: answer.statusCode, text }, index)) errors += 1;
    } catch {
      errors += 1;
    }
    latencies.push(performance.now() - due);
  }

  const start = performance.now();
  const pending: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const due = start + (index * 1000) / rate;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    pending.push(send(index, due));
  }
  await Promise.all(pending);
  await agent.close();
  return { latencies, errors };
}
