import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder outside the clone that keeps what is slow to make: Go binaries, base images, built images, and the
 * state of running clusters. `MILLRACE_CACHE` moves it; deleting it costs only time.
 */
export function cacheDir(...below: string[]): string {
  return join(process.env['MILLRACE_CACHE'] ?? join(homedir(), '.cache', 'millrace'), ...below);
}
