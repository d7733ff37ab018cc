/**
 * One execution through the whole queue in a process that may be killed at any statement: accept, claim, execute an effect, commit it, answer,
 * complete. Prints what it has been promised, a line each. Arguments: URL, workflow, pool, idempotency key.
 */
import { openStore } from '../../store/store.ts';
import { KEEP_ALL, nodeRun, request, succeeded } from '../postgres/test-store.ts';

const [url = '', workflow = '', pool = '', idempotencyKey = ''] = process.argv.slice(2);
const say = (line: string): void => { process.stdout.write(`${line}\n`); };

const store = await openStore({ url, applicationName: 'worker', poolSize: 1 });
say('open');
const [outcome] = await store.queue.enqueue([request({ workflow, pool, idempotencyKey })]);
if (outcome?.accepted !== true) throw new Error(`Refused: ${outcome?.reason}`);
say(`accepted ${outcome.id}`);
const runner = `worker-${process.pid}`;
const { claims: [claim] } = await store.queue.claim({ pool, runner, limit: 1 });
if (claim === undefined) throw new Error('Nothing to claim');
await store.queue.renew({ runner, leases: [claim] });
say(`effect ${claim.executionId}`);
await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [nodeRun({ node: 'Charge' })], recordings: [] } }]);
say('committed');
await store.queue.respond([{ ...claim, response: { status: 200, headers: {}, body: 'charged', encoding: 'utf8' } }]);
say('answered');
const lost = await store.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }]);
say(lost.length === 0 ? 'finished' : 'lost');
await store.close();
