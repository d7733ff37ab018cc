/** A process that fires schedules until it is killed: `node schedules-process.ts URL`. */
import { startScheduler } from '../../service/schedules/scheduler.ts';
import { openStore } from '../../store/store.ts';

const store = await openStore({ url: process.argv[2] ?? '', applicationName: 'schedules-process' });
await startScheduler({ store, log: { warn: () => undefined } });
