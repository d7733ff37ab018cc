/** A client of the queue on a machine with a wrong clock. Argument: URL. Prints one JSON line of what it saw. */
import { openStore } from '../../store/store.ts';
import { accept, claimOne, KEEP_ALL, publish, succeeded } from '../postgres/test-store.ts';

const [url = ''] = process.argv.slice(2);
const store = await openStore({ url, applicationName: 'skewed' });
await publish(store, { timeoutMs: 60_000 });
const id = await accept(store);
const claim = await claimOne(store, 'skewed', 2000);
const { lost } = await store.queue.renew({ runner: 'skewed', leases: [claim], leaseMs: 2000 });
const delayed = await accept(store, { delayMs: 60_000 });
const early = await store.queue.claim({ pool: 'default', runner: 'skewed', limit: 1 });
const wrong = Date.now();
const refused = await store.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }]);
process.stdout.write(JSON.stringify({ id, delayed, lost, refused, early: early.claims.length, remainingMs: claim.remainingMs, storeNow: store.now(), wrong }));
await store.close();
