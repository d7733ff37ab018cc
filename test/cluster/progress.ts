/** Lines that tell a person at a terminal, or a CI log, what is going on and how long it took. */

const started = Date.now();
/** test/bootstrap.sh started the clock, if it ran before. Milliseconds since the epoch. */
const origin = Number(process.env['MILLRACE_STARTED_MS'] ?? started);

/** `12.3 s`, or `2 m 05 s` from a minute on. */
export function formatElapsed(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60))} m ${String(seconds % 60).padStart(2, '0')} s`;
}

/** Prints a line with the time since the whole command began. */
export function say(line: string): void {
  process.stdout.write(`[${formatElapsed(Date.now() - origin).padStart(8)}] ${line}\n`);
}

/** Runs one step, with a line before and a line after it that tells how long it took. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const begin = Date.now();
  say(`${title} …`);
  try {
    const result = await work();
    say(`${title}: done in ${formatElapsed(Date.now() - begin)}`);
    return result;
  } catch (error) {
    say(`${title}: failed after ${formatElapsed(Date.now() - begin)}`);
    throw error;
  }
}
