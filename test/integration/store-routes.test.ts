import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { revisionOf } from '../../store/revisions.ts';
import type { RouteSpec, RouteTrigger } from '../../store/route.ts';
import { openStore, type Store } from '../../store/store.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { type CrashPoint, startStatementProxy, type StatementProxy } from '../postgres/statement-proxy.ts';
import { KEEP_ALL, newStore } from '../postgres/test-store.ts';

let postgres: Postgres;
let proxy: StatementProxy;
let store: Store;
/** The same database, through the proxy. */
let cut: Store;
let database: Client;

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await startStatementProxy(postgres.port);
  let url: string;
  ({ store, url } = await newStore(postgres));
  cut = await openStore({ url: url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${proxy.port}`), applicationName: 'cut' });
  database = new Client({ connectionString: url });
  await database.connect();
}, 180_000);
afterAll(async () => {
  await database.end();
  await Promise.all([store.close(), cut.close()]);
  await proxy.close();
  await postgres.stop();
}, 180_000);

const hook = (path: string, method = 'POST'): RouteTrigger => ({ kind: 'Webhook', node: 'Hook', method, path, responseMode: 'onReceived', options: {} });
const form = (path: string): RouteTrigger => ({ kind: 'Form', node: 'Form', path, pages: false, options: {} });
const schedule = (node: string): RouteTrigger => ({ kind: 'Schedule', node, options: { rules: [{ cron: '0 0 * * *' }], timezone: 'UTC' } });

interface Version extends Partial<RouteSpec> {
  workflow: string;
  version: string;
}

function publication({ version, ...route }: Version): [RouteSpec, WorkflowDefinition] {
  const definition: WorkflowDefinition = { id: `shop/${route.workflow}`, name: version, nodes: [], connections: [] };
  return [{ namespace: 'shop', uid: 'u1', active: true, stable: revisionOf(definition), pool: 'default', priority: 5, save: KEEP_ALL, triggers: [], ...route }, definition];
}

/** What the database holds of a workflow. */
async function held(workflow: string) {
  const list = async (text: string): Promise<unknown> => (await database.query<{ found: unknown }>(`SELECT coalesce(json_agg(found ORDER BY found), '[]') AS found FROM (${text}) AS all_of`, [workflow])).rows[0]?.found;
  return {
    route: await store.routes.get({ namespace: 'shop', workflow }),
    revisions: await list("SELECT encode(revision, 'hex') AS found FROM millrace.revision WHERE workflow = $1"),
    claims: await list("SELECT method || ' ' || path AS found FROM millrace.webhook WHERE workflow = $1"),
    schedules: await list('SELECT node AS found FROM millrace.schedule WHERE workflow = $1'),
    data: await list('SELECT scope AS found FROM millrace.static_data WHERE workflow = $1'),
  };
}

test('a route comes with its revision, its claims and its schedules, and each change with all that it changes', async () => {
  const workflow = 'changing';
  const publish = async (version: Omit<Version, 'workflow'>) => {
    const [route, definition] = publication({ workflow, ...version });
    const { changed, conflicts } = await store.routes.apply(route, definition);
    expect({ changed, conflicts }).toEqual({ changed: true, conflicts: [] });
    expect(await store.routes.apply(route, definition)).toMatchObject({ changed: false, conflicts: [] });
    expect(await store.revisions.get(route.stable)).toEqual(definition);
    const { claims, schedules, data } = await held(workflow);
    return { claims, schedules, data };
  };
  expect(await publish({ version: '1', triggers: [hook('a'), hook('b/:id'), form('a'), schedule('Daily')] })).toEqual({ claims: ['FORM a', 'POST a', 'POST b/:'], schedules: ['Daily'], data: [] });
  expect(await publish({ version: '2', triggers: [hook('b/:other'), hook('a', 'PUT'), schedule('Daily'), schedule('Weekly')] })).toEqual({ claims: ['POST b/:', 'PUT a'], schedules: ['Daily', 'Weekly'], data: [] });
  expect(await publish({ version: '2', active: false, triggers: [hook('a'), schedule('Daily')] })).toEqual({ claims: [], schedules: [], data: [] });
  await database.query("INSERT INTO millrace.static_data (namespace, workflow, scope, data) VALUES ('shop', $1, 'Hook', '{}')", [workflow]);
  expect(await publish({ version: '1', triggers: [hook('a')] })).toEqual({ claims: ['POST a'], schedules: [], data: ['Hook'] });
  // Made anew under the same name, it is another one.
  expect(await publish({ version: '1', uid: 'u2', triggers: [hook('a')] })).toEqual({ claims: ['POST a'], schedules: [], data: [] });
});

test('a path that another workflow has claimed changes nothing of what is in force', async () => {
  await store.routes.apply(...publication({ workflow: 'owner', version: '1', triggers: [hook('taken/:id')] }));
  await store.routes.apply(...publication({ workflow: 'loser', version: '1', triggers: [hook('own')] }));
  const before = await held('loser');
  const [route, definition] = publication({ workflow: 'loser', version: '2', triggers: [hook('taken/:other'), hook('free')] });
  expect(await store.routes.apply(route, definition)).toEqual({
    changed: false, epoch: before.route?.epoch, conflicts: [{ method: 'POST', path: 'taken/:', owner: { namespace: 'shop', workflow: 'owner' } }],
  });
  expect(await held('loser')).toEqual({ ...before, revisions: expect.arrayContaining([...before.revisions as string[], route.stable]) });
});

test('of many that want one path one gets it, and the others are told so', async () => {
  const outcomes = await Promise.all(Array.from({ length: 12 }, (_, index) =>
    store.routes.apply(...publication({ workflow: `rival-${index}`, version: '1', triggers: index % 2 === 0 ? [hook('x'), hook('y')] : [hook('y'), hook('x')] }))));
  const winner = outcomes.findIndex(({ changed }) => changed);
  expect(outcomes.filter(({ changed }) => changed)).toHaveLength(1);
  for (const { conflicts } of outcomes.filter(({ changed }) => !changed)) expect(conflicts).toMatchObject([{ owner: { workflow: `rival-${winner}` } }, { owner: { workflow: `rival-${winner}` } }]);
});

test('a route of a revision that is not stored is refused, and leaves nothing', async () => {
  const [route] = publication({ workflow: 'unknown', version: '1', triggers: [hook('unknown')] });
  await expect(store.routes.apply(route)).rejects.toMatchObject({ code: 'RevisionNotFound' });
  const [, other] = publication({ workflow: 'unknown', version: '2' });
  await expect(store.routes.apply(route, other)).rejects.toMatchObject({ code: 'RevisionNotFound' });
  expect(await held('unknown')).toEqual({ route: undefined, revisions: [], claims: [], schedules: [], data: [] });
});

test('a connection that breaks before or after any statement leaves all of a change or nothing of it, and the change is made', async () => {
  let count = 0;
  const changeOf = (workflow: string): [Version, Version] => [
    { workflow, version: '1', triggers: [hook(`${workflow}/old`), schedule('Daily')] },
    { workflow, version: '2', uid: 'u2', triggers: [hook(`${workflow}/new`), schedule('Weekly')] },
  ];
  const run = async (point: CrashPoint | undefined): Promise<readonly string[]> => {
    count += 1;
    const workflow = `cut-${count}`;
    const [first, second] = changeOf(workflow);
    await store.routes.apply(...publication(first));
    const before = await held(workflow);
    const reached = Promise.withResolvers<void>();
    proxy.arm(point, reached.resolve);
    const applying = cut.routes.apply(...publication(second));
    if (point) {
      await reached.promise;
      // Nobody sees what is not committed, so this is what a crash of the operator leaves.
      const left = await held(workflow);
      const committed = point.statement === 'COMMIT' && point.when === 'after';
      if (committed) expect(left.route?.stable).toBe(publication(second)[0].stable);
      else expect(left).toEqual(before);
      proxy.arm(undefined, () => undefined);
      await database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'");
    }
    const { changed } = await applying;
    expect(changed).toBe(!(point?.statement === 'COMMIT' && point.when === 'after'));
    const { route, revisions, claims, schedules } = await held(workflow);
    const wanted = publication(second)[0];
    expect(route).toMatchObject({ stable: wanted.stable, uid: 'u2' });
    expect(revisions).toEqual([publication(first)[0].stable, wanted.stable].sort());
    expect([claims, schedules]).toEqual([[`POST ${workflow}/new`], ['Weekly']]);
    return proxy.seen;
  };
  const statements = (await run(undefined)).filter((name) => name === 'BEGIN' || name === 'COMMIT' || /^(route|revision|schedule-(forget|register)|static-data)/.test(name));
  expect(statements).toEqual(['BEGIN', 'route-lock', 'revision-put', 'route-read', 'static-data-forget', 'route-write', 'schedule-forget', 'schedule-register', 'COMMIT']);
  for (const statement of statements) for (const when of ['before', 'after'] as const) await run({ statement, occurrence: 1, when });
}, 180_000);
