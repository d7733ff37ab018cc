import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import type { DatabaseConnection, Databases, DatabaseStatement } from '../../runner/engine/database.ts';
import { execute } from '../../runner/engine/engine.ts';
import { WorkflowError } from '../../runner/engine/error.ts';
import type { NodeTypes } from '../../runner/engine/graph.ts';
import type { EngineHost } from '../../runner/engine/host.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import type { Checkpoint, ExecutionResult } from '../../runner/engine/node-run.ts';
import { testHost } from '../../runner/engine/testing/test-host.ts';
import { Double, testNodes } from '../../runner/engine/testing/test-nodes.ts';
import { workflowOf, type NodeSketch } from '../../runner/engine/testing/test-workflow.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { blockList } from '../../runner/egress.ts';
import { postgresNode } from '../../runner/nodes/postgres/index.ts';
import { PostgresPools } from '../../runner/postgres/pools.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';

jest.setTimeout(180_000);

let server: Postgres;
let shop: Client;
let fields: JsonObject;
let pools: PostgresPools;
let double: Double;
const lives: AbortController[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

beforeEach(async () => {
  const url = new URL(await server.database());
  fields = { host: '127.0.0.1', port: url.port, database: url.pathname.slice(1), user: url.username };
  shop = new Client({ connectionString: url.href });
  await shop.connect();
  await shop.query('CREATE TABLE orders (id serial PRIMARY KEY, step text, CONSTRAINT few CHECK (id < 1000)); CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
  pools = new PostgresPools({ denied: blockList([]), maxConnections: 5 });
  double = new Double();
});
afterEach(async () => {
  for (const life of lives.splice(0)) life.abort(new WorkflowError('LeaseLost', 'over'));
  await pools.close();
  await shop.end();
});

/** Something that a life does to the world outside it. */
interface Point {
  number: number;
  /** lost: it is done, but the connection breaks before the answer is there, and the life goes on. */
  when: 'before' | 'after' | 'lost';
}

/** Where lives die, and what they did. Everything that is counted is a point: statements of databases and checkpoints. */
class Fate {
  readonly done: string[] = [];
  readonly #point: Point | undefined;

  constructor(point?: Point) {
    this.#point = point;
  }

  /** Does it, and dies around it if this is the point. A life that is dead does nothing any more. */
  async step<T>(what: string, life: { isDead: boolean; die(): void }, work: () => Promise<T>): Promise<T> {
    if (life.isDead) return new Promise<T>(() => undefined);
    const number = this.done.push(what) - 1;
    if (this.#point?.number === number && this.#point.when === 'before') return this.#end<T>(life);
    const isHere = this.#point?.number === number;
    // What is refused is done as well.
    const [settled] = await Promise.allSettled([work()]);
    if (isHere && this.#point?.when === 'after') return this.#end<T>(life);
    if (isHere && this.#point?.when === 'lost') throw new WorkflowError('DatabaseConnection', 'lost');
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  }

  #end<T>(life: { die(): void }): Promise<T> {
    life.die();
    return new Promise(() => undefined);
  }
}

const nodeTypes = (): NodeTypes => new Map([...testNodes(double), ['postgres', postgresNode]]);

/** Runs an execution through as many lives as it takes. A life that dies loses its connections, as a killed process does. */
async function run(workflow: WorkflowDefinition, fate: Fate): Promise<ExecutionResult & { lives: number }> {
  const checkpoints: Checkpoint[] = [];
  for (let count = 1; count < 10; count += 1) {
    const stop = new AbortController();
    lives.push(stop);
    const died = Promise.withResolvers<'died'>();
    const open = new Set<DatabaseConnection>();
    const life = {
      isDead: false,
      die(): void {
        life.isDead = true;
        for (const connection of open) connection.release(true);
        died.resolve('died');
      },
    };
    const databases: Databases = {
      async connect(request) {
        const connection = await pools.connect(request);
        open.add(connection);
        return { ...connection, query: (statement: DatabaseStatement) => fate.step(statement.text, life, () => connection.query(statement)) };
      },
    };
    const host: EngineHost = testHost({
      databases, credential: async () => fields, sleep: async () => undefined, random: () => 0.5,
      commit: (checkpoint) => fate.step('checkpoint', life, async () => void checkpoints.push(structuredClone(checkpoint))),
    });
    const ended = execute({ executionId: 'e1', workflow, mode: 'Api', start: { node: 'Start', items: [{ json: { n: 1 } }, { json: { n: 2 } }] }, resume: structuredClone(checkpoints), signal: stop.signal }, host, nodeTypes());
    // What hands itself back goes on in another life as well.
    const result = await Promise.race([died.promise, ended.catch((error: unknown) => {
      if (error instanceof WorkflowError && error.code === 'HandBack') return 'died' as const;
      throw error;
    })]);
    if (result !== 'died') return { ...result, lives: count };
  }
  throw new Error('The execution does not come to an end');
}

const insert = (step: string, more: Partial<NodeSketch> = {}): NodeSketch => ({
  type: 'postgres', credentials: { postgres: { name: 'shop' } }, parameters: { operation: 'executeQuery', query: `INSERT INTO orders (step) VALUES ('${step}') RETURNING step` }, ...more,
});
const statement = (query: string, more: Partial<NodeSketch> = {}): NodeSketch => ({ ...insert(''), parameters: { operation: 'executeQuery', query }, ...more });
const settings = { settings: { transaction: { credential: 'shop' } } };
const orders = (more: Record<string, NodeSketch> = {}): WorkflowDefinition => {
  const nodes: Record<string, NodeSketch> = { Start: { type: 'start' }, First: insert('first'), Effect: { type: 'effect', parameters: { value: 'sent' } }, Second: insert('second'), ...more };
  const names = Object.keys(nodes);
  return workflowOf(nodes, names.slice(1).map((name, index) => `${names[index]} > ${name}`), settings);
};

const steps = async (): Promise<string[]> => (await shop.query<{ step: string }>('SELECT step FROM orders ORDER BY id')).rows.map(({ step }) => step);
const ALL = ['first', 'first', 'second', 'second'];

describe('an execution with one transaction', () => {
  test.each(['makes its table', 'finds its table'])('that dies anywhere does everything once, when it %s', async (name) => {
    const reset = async (): Promise<void> => {
      await shop.query(`TRUNCATE orders; ${name === 'makes its table' ? 'DROP TABLE IF EXISTS' : 'DELETE FROM'} millrace_transaction`);
      double.calls.splice(0);
    };
    await run(orders(), new Fate());
    await reset();
    const quiet = new Fate();
    expect(await run(orders(), quiet)).toMatchObject({ status: 'Succeeded', lives: 1 });
    expect(await steps()).toEqual(ALL);
    const points = quiet.done.flatMap((_, number): Point[] => [{ number, when: 'before' }, { number, when: 'after' }]);
    expect(points.length).toBeGreaterThan(20);
    for (const point of points) {
      await reset();
      const result = await run(orders(), new Fate(point));
      const at = `${point.when} ${quiet.done[point.number]}`;
      expect([at, result.status, result.lives, await steps()]).toEqual([at, 'Succeeded', 2, ALL]);
      // Effects outside the transaction: at least once, with the same keys.
      expect(new Set(double.calls.map(({ key }) => key)).size).toBe(2);
      expect((await shop.query('SELECT FROM millrace_transaction')).rowCount).toBe(1);
    }
  });

  test('finds out whether it was committed when the answer is lost', async () => {
    const quiet = new Fate();
    await run(orders(), quiet);
    await shop.query('TRUNCATE orders; DROP TABLE millrace_transaction');
    const number = quiet.done.indexOf('COMMIT');
    expect(await run(orders(), new Fate({ number, when: 'lost' }))).toMatchObject({ status: 'Succeeded', lives: 2 });
    expect(await steps()).toEqual(ALL);
  });

  test('that fails leaves nothing behind, wherever it dies', async () => {
    const failing = (): WorkflowDefinition => orders({ Fail: { type: 'fail' } });
    const quiet = new Fate();
    expect(await run(failing(), quiet)).toMatchObject({ status: 'Failed', error: { code: 'TestFailed' } });
    for (let number = 0; number < quiet.done.length; number += 3) {
      expect(await run(failing(), new Fate({ number, when: 'after' }))).toMatchObject({ status: 'Failed' });
      expect(await steps()).toEqual([]);
    }
    expect((await shop.query('SELECT FROM millrace_transaction')).rowCount).toBe(0);
  });

  test('goes on after a statement that fails, if its node does', async () => {
    const result = await run(orders({ Wrong: statement('INSERT INTO orders (id) VALUES (5000)', { onError: 'Continue' }), Last: insert('last') }), new Fate());
    expect(result).toMatchObject({ status: 'Succeeded' });
    expect(await steps()).toEqual([...ALL, 'last', 'last']);
  });

  test.each([
    { name: 'the database finds it wrong at the end', node: statement('INSERT INTO late VALUES (1), (1)') },
    { name: 'a statement commits it', node: statement('COMMIT', { onError: 'Continue' }) },
  ])('fails when $name', async ({ node }) => {
    expect(await run(orders({ Wrong: node }), new Fate())).toMatchObject({ status: 'Failed', error: { code: 'TransactionFailed' } });
  });

  test('waits for a life that is believed dead, and takes what that one committed', async () => {
    const zombie = new Client({ host: '127.0.0.1', port: server.port, user: 'postgres', database: String(fields['database']) });
    await zombie.connect();
    await run(orders(), new Fate());
    await shop.query('TRUNCATE orders; DELETE FROM millrace_transaction');
    await zombie.query(`BEGIN; INSERT INTO millrace_transaction (execution, attempt) VALUES ('e1', 'other')`);
    const running = run(orders(), new Fate());
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    expect(await steps()).toEqual([]);
    await zombie.query('ROLLBACK');
    expect(await running).toMatchObject({ status: 'Succeeded', lives: 1 });
    expect(await steps()).toEqual(ALL);
    await zombie.end();
  });

  test.each([
    { name: 'a node that waits', workflow: orders({ Rest: { type: 'wait' } }) },
    { name: 'a compensation', workflow: { ...orders(), connections: [...orders().connections, { from: 'Effect', output: 0, to: 'Second', input: 0, type: 'compensation' }] } },
    { name: 'a credential that nothing uses', workflow: { ...orders(), settings: { transaction: { credential: 'typo' } } } },
  ])('is refused with $name', async ({ workflow }) => {
    expect(await run(workflow, new Fate())).toMatchObject({ status: 'Failed', error: { code: 'TransactionNotPossible' } });
    expect(await steps()).toEqual([]);
  });
});
