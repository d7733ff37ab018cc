import { Client } from 'pg';
import type { ExecutionFilter } from '../../store/executions.ts';
import { firstIdAt } from '../../store/execution-id.ts';
import { migrate, openStore, type Store } from '../../store/store.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { type Benchmark, type Figure, percentile } from './benchmark.ts';

const DAYS = 14;
const NAMESPACES = 10;
const WORKFLOWS = 200;
const QUERIES = 100;
const TARGET_MS = 200;
const DAY_MS = 86_400_000;

/** Lists, searches and drops days of a history of millions of executions. */
export const history: Benchmark = {
  name: 'history',
  about: `lists and searches among finished executions of ${DAYS} days, ${WORKFLOWS} workflows in ${NAMESPACES} namespaces, 2 % failed; logged tables, fsync on`,
  flags: { rows: 10_000_000 },
  once: true,
  async run({ flags, progress }) {
    const postgres = await startPostgres();
    try {
      const url = await postgres.database();
      await migrate({ url, applicationName: 'bench' });
      const start = performance.now();
      await fill(url, flags['rows'] ?? 0, progress);
      const filled = (performance.now() - start) / 1000;
      const store = await openStore({ url, applicationName: 'bench' });
      try {
        return [...await lists(store, progress), ...await drops(url, store), { name: 'filled in', value: filled, unit: 's' }];
      } finally {
        await store.close();
      }
    } finally {
      await postgres.stop();
    }
  },
};

/** The days to come stand for those that were: they have partitions, and nothing else is different about them. */
async function fill(url: string, rows: number, progress: (text: string) => void): Promise<void> {
  const client = await connected(url);
  await client.query(`SELECT millrace.make_days(${DAYS})`);
  // Building an index once is cheaper than keeping it up to date; the result is the same.
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(`
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i WHERE i.indrelid = 'millrace.execution'::regclass AND NOT i.indisprimary`);
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
  const days = Array.from({ length: DAYS }, (_, day) => day);
  const perDay = Math.ceil(rows / DAYS);
  await Promise.all([0, 1].map(async () => {
    const own = await connected(url);
    for (let day = days.shift(); day !== undefined; day = days.shift()) {
      await own.query(FILL, [startOfDays() + day * DAY_MS, perDay]);
      progress(`day ${day + 1} of ${DAYS}`);
    }
    await own.end();
  }));
  // Of a partitioned table the definition says ONLY, for restoring dumps; here the partitions are to have it too.
  for (const { definition } of indexes) await client.query(definition.replace(' ON ONLY ', ' ON '));
  await client.query('VACUUM (ANALYZE) millrace.execution');
  progress('indexes built');
  await client.end();
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  // A query that is under way says what happened.
  client.on('error', () => undefined);
  await client.connect();
  await client.query("SET maintenance_work_mem = '256MB'");
  return client;
}

/** Midnight, UTC, that the first day begins with. */
function startOfDays(): number {
  return (Math.floor(Date.now() / DAY_MS) + 1) * DAY_MS;
}

/** One day: $1 its first millisecond, $2 how many. Ids ascend, as they do in life. One workflow has a third of all, most fail in one of a few ways, some in a way of their own. */
const FILL = `
  INSERT INTO millrace.execution (id, namespace, workflow, uid, revision, mode, status, pool, priority, created_at, started_at, finished_at, fence, crashes, runner, kept, brief, words)
  SELECT (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || substr(md5(n::text), 1, 15))::uuid,
    'team-' || w % ${NAMESPACES}, 'flow-' || w, 'uid', decode(md5(w::text) || md5(w::text), 'hex'), CASE n % 100 WHEN 7 THEN 'Manual' ELSE 'Webhook' END,
    CASE WHEN failed THEN 'Failed' ELSE 'Succeeded' END, 'default', 5, at, at, at + interval '20 ms', 1, 0, 'runner-' || n % 50, 'Summary',
    convert_to(CASE WHEN failed THEN '{"counts":{"succeeded":3,"failed":1},"error":{"code":"HttpStatus","message":"GET https://host-' || n % 5000 || '.example.com answered 503"},"lastNode":"Call"}'
      ELSE '{"counts":{"succeeded":4,"failed":0},"lastNode":"Answer"}' END, 'UTF8'),
    CASE WHEN failed THEN array_to_tsvector(ARRAY['httpstatus', 'get', 'https', 'host', (n % 5000)::text, 'example', 'com', 'answered', '503', 'case' || n]) END
  FROM (SELECT n, ms, to_timestamp(ms / 1000.0) AS at, failed, CASE WHEN n % 3 = 0 THEN 0 ELSE n * 7919 % ${WORKFLOWS} END AS w
    FROM (SELECT n, $1::bigint + n * ${DAY_MS} / $2::bigint AS ms, n % 50 = 11 AS failed FROM generate_series(0, $2::bigint - 1) n) moments) runs`;

async function lists(store: Store, progress: (text: string) => void): Promise<Figure[]> {
  const flow = (n: number): { namespace: string; workflow: string } => ({ namespace: `team-${n % NAMESPACES}`, workflow: `flow-${n % WORKFLOWS}` });
  const moment = (n: number): number => startOfDays() + ((n * 7919) % (DAYS * 1000)) * (DAY_MS / 1000);
  const shapes: [string, (n: number) => ExecutionFilter][] = [
    ['newest of a workflow', flow],
    ['newest of a namespace', (n) => ({ namespace: `team-${n % NAMESPACES}` })],
    ['newest of all', () => ({})],
    ['failed of a workflow', (n) => ({ ...flow(n), status: 'Failed' })],
    ['failed of a namespace', (n) => ({ namespace: `team-${n % NAMESPACES}`, status: 'Failed' })],
    ['failed of all', () => ({ status: 'Failed' })],
    ['manual ones of a workflow', (n) => ({ ...flow(n), mode: 'Manual' })],
    ['ten minutes of a namespace', (n) => ({ namespace: `team-${n % NAMESPACES}`, since: moment(n), until: moment(n) + 600_000 })],
    ['a page deep in a workflow', (n) => ({ ...flow(n), cursor: firstIdAt(moment(n)) })],
    ['search: a word most errors have', () => ({ search: 'httpstatus' })],
    ['search: words of some errors', (n) => ({ search: `example ${(n * 50 + 11) % 5000}` })],
    ['search: a word of one error in a namespace', (n) => ({ namespace: `team-${n % NAMESPACES}`, search: `case${n * 50 + 11}` })],
    ['search: a beginning of words', (n) => ({ search: `case${n % 10}` })],
    ['search: a word of no error', () => ({ search: 'nowhere' })],
    ['search: a beginning of an id', (n) => ({ search: firstIdAt(moment(n)).slice(0, 10) })],
  ];
  const figures: Figure[] = [];
  for (const [name, filterOf] of shapes) {
    const times: number[] = [];
    for (let n = 0; n < QUERIES; n += 1) {
      const start = performance.now();
      await store.executions.list(filterOf(n));
      times.push(performance.now() - start);
    }
    progress(`${name}: p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`);
    figures.push({ name: `${name}, p50`, value: percentile(times, 0.5), unit: 'ms' }, { name: `${name}, p99`, value: percentile(times, 0.99), unit: 'ms', target: { atMost: TARGET_MS } });
  }
  return figures;
}

/** Dropping a day, and how long the slowest list had to wait meanwhile. */
async function drops(url: string, store: Store): Promise<Figure[]> {
  const client = await connected(url);
  const { rows: [day] } = await client.query<{ rows: number }>(`
    UPDATE millrace.history_day SET until = current_date - 100 WHERE until = (SELECT max(until) FROM millrace.history_day) RETURNING (
      SELECT reltuples::float8 FROM pg_class WHERE oid = ('millrace.' || partition)::regclass) AS rows`);
  await client.end();
  let slowest = 0;
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const start = performance.now();
      await store.executions.list({ limit: 1 });
      slowest = Math.max(slowest, performance.now() - start);
    }
  })();
  const start = performance.now();
  await store.sweep(14);
  const took = performance.now() - start;
  over.abort();
  await watching;
  return [
    { name: `sweep that drops a day of ${Math.round(day?.rows ?? 0).toLocaleString('en')} executions`, value: took, unit: 'ms' },
    { name: 'slowest list meanwhile', value: slowest, unit: 'ms', target: { atMost: TARGET_MS } },
  ];
}
