import { Pool } from 'undici';

export interface ClosedLoopOptions {
  url: string;
  /** Callers, each with one request under way. */
  clients: number;
  /** How long new requests are sent. */
  seconds: number;
  /** Body of the nth request, as JSON text. */
  body(index: number): string;
  /** Whether the answer is the right one. */
  accept(answer: { status: number; text: string }, index: number): boolean;
}

export interface ClosedLoopResult {
  /** Right answers per second. */
  rate: number;
  /** Milliseconds. */
  latencies: number[];
  errors: number;
}

/** As many requests as a number of callers get answered, each sending its next one when it has its answer. */
export async function closedLoop({ url, clients, seconds, body, accept }: ClosedLoopOptions): Promise<ClosedLoopResult> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: clients, headersTimeout: 120_000, bodyTimeout: 120_000 });
  const latencies: number[] = [];
  let errors = 0;
  let sent = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() - start < seconds * 1000) {
      const index = sent;
      sent += 1;
      const from = performance.now();
      if (!(await isRight(pool, { path: pathname, body: body(index) }, (answer) => accept(answer, index)))) errors += 1;
      latencies.push(performance.now() - from);
    }
  }));
  const elapsed = (performance.now() - start) / 1000;
  await pool.close();
  return { rate: (latencies.length - errors) / elapsed, latencies, errors };
}

async function isRight(pool: Pool, request: { path: string; body: string }, accept: (answer: { status: number; text: string }) => boolean): Promise<boolean> {
  try {
    const answer = await pool.request({ ...request, method: 'POST', headers: { 'content-type': 'application/json' } });
    return accept({ status: answer.statusCode, text: await answer.body.text() });
  } catch {
    return false;
  }
}
