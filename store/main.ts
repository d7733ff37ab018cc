#!/usr/bin/env node
import { pino } from 'pino';
import { StoreError } from './error.ts';
import { objectStorageOf } from './objects/settings.ts';
import { migrate, openStore } from './store.ts';

/** `node store/main.ts migrate` applies the migrations, `check` opens the store and leaves. Both read MILLRACE_DATABASE_URL. */
const log = pino({ name: 'millrace-store' });
const [command = 'migrate'] = process.argv.slice(2);
const url = process.env['MILLRACE_DATABASE_URL'];
const waitMs = Number(process.env['MILLRACE_DATABASE_WAIT_MS'] ?? 120_000);

async function run(url: string): Promise<void> {
  const options = { url, applicationName: 'millrace-migrate', log, waitMs };
  if (command === 'migrate') {
    log.info({ applied: await migrate(options) }, 'Migrated the schema');
    return;
  }
  const store = await openStore({ ...options, poolSize: 1, objectStorage: objectStorageOf(process.env) });
  log.info({ health: await store.health() }, 'Checked the store');
  await store.close();
}

if (url === undefined || !['migrate', 'check'].includes(command)) {
  log.error({ code: 'UsageError' }, 'Usage: MILLRACE_DATABASE_URL=postgres://… node store/main.ts migrate|check');
  process.exitCode = 2;
} else {
  try {
    await run(url);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    log.error({ code: error.code }, error.message);
    process.exitCode = 1;
  }
}
