import type { Database } from './database.ts';
import { StoreError, StoreReason } from './error.ts';

export interface ServerSettings {
  version: number;
  fsync: string;
  full_page_writes: string;
  synchronous_commit: string;
}

/** Throws when the server is too old. Returns what would let PostgreSQL forget committed work; empty when nothing would. */
export function durabilityGaps(settings: ServerSettings): string[] {
  if (settings.version < 180_000) {
    throw new StoreError(StoreReason.DatabaseTooOld, `PostgreSQL 18 or newer is needed; this is ${Math.floor(settings.version / 10_000)}`);
  }
  return (['fsync', 'full_page_writes', 'synchronous_commit'] as const).filter((name) => settings[name] === 'off');
}

/** Asks the server. See `durabilityGaps`. */
export async function checkDurability(database: Database): Promise<string[]> {
  const [settings] = await database.query<ServerSettings>({
    name: 'durability',
    text: `SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync,
      current_setting('full_page_writes') AS full_page_writes, current_setting('synchronous_commit') AS synchronous_commit`,
  });
  if (settings === undefined) throw new StoreError(StoreReason.StoreFailed, 'PostgreSQL did not tell its settings');
  return durabilityGaps(settings);
}
