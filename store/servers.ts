import { Client, type ClientConfig, type PoolClient } from 'pg';

const URL_PARTS = /^(postgres(?:ql)?:\/\/(?:[^@/?]*@)?)([^/?]*)(.*)$/;

/** One URL for each server of `postgres://user:password@first:5432,second:5432/database`, as libpq reads such lists. */
export function serverUrls(url: string): string[] {
  const [, head = '', hosts = '', tail = ''] = URL_PARTS.exec(url) ?? [];
  return hosts.includes(',') ? hosts.split(',').map((host) => `${head}${host}${tail}`) : [url];
}

/** Which of several servers is the primary, as far as is known. All but one are standbys, of which one may take over at any time. */
export class Servers {
  readonly #urls: readonly string[];
  #index = 0;

  constructor(url: string) {
    this.#urls = serverUrls(url);
  }

  get current(): string {
    return this.#urls[this.#index] ?? '';
  }

  get several(): boolean {
    return this.#urls.length > 1;
  }

  /** `url` did not answer or is a standby: others are tried, unless somebody has said so already. */
  pass(url: string): void {
    if (url === this.current) this.#index = (this.#index + 1) % this.#urls.length;
  }

  /** A class of clients that connect to the server that is current when they are made; for `pg.Pool`. */
  clientClass(): typeof Client {
    const urlOf = (): string => this.current;
    return class extends Client {
      constructor(config?: string | ClientConfig) {
        super({ ...(typeof config === 'string' ? {} : config), connectionString: urlOf() });
      }
    };
  }
}

/** Rejects when the server only repeats what another one writes: what it answers may be old, and it writes nothing. */
export async function checkPrimary(client: Client | PoolClient): Promise<void> {
  const { rows: [row] } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
  // SQLSTATE of a write to a standby, which makes the call be tried again.
  if (row?.standby === true) throw Object.assign(new Error('Connection terminated: the server is a standby'), { code: '25006' });
}
