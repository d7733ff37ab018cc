import { randomUUID } from 'node:crypto';
import type { DatabaseConnection, DatabaseStatement } from './database.ts';
import { WorkflowError } from './error.ts';
import type { Execution } from './execution.ts';
import type { Journal } from './journal.ts';
import type { CommittedRun } from './node-run.ts';
import type { WorkflowNode } from './workflow.ts';
import { TRANSACTION_CREDENTIAL } from './transaction-rules.ts';

type Connect = (node: WorkflowNode) => Promise<DatabaseConnection>;

/** A transaction that nobody works on for so long is taken back by the server: a runner that is gone without a word holds no locks. */
const IDLE = '10min';
/** How long an execution rests that cannot find out whether its transaction was committed; milliseconds. */
const IN_DOUBT_MS = 5000;
/** Leaves the execution to another life. */
const HAND_BACK = 'HandBack';
const SAVEPOINT = 'millrace_step';
const TABLE = `CREATE TABLE IF NOT EXISTS millrace_transaction (execution text PRIMARY KEY, attempt text NOT NULL, committed_at timestamptz NOT NULL DEFAULT now())`;
const INSERT = 'INSERT INTO millrace_transaction (execution, attempt) VALUES ($1, $2)';
const FIND = 'SELECT attempt FROM millrace_transaction WHERE execution = $1';
const FORGET = `DELETE FROM millrace_transaction WHERE committed_at < now() - interval '30 days'`;
/** Part of the executions that remove what is old. */
const FORGET_SHARE = 0.01;

const SqlState = { UniqueViolation: '23505', UndefinedTable: '42P01', DuplicateTable: '42P07', NotPermitted: '42501' } as const;

/**
 * One database transaction over all nodes of an execution that use one credential: begun by the first of them, committed when the execution has
 * succeeded. A row in the same database, written in the same transaction, tells whether it was committed. Its primary key keeps two lives of an
 * execution apart, too: the second waits for the first to end.
 *
 * The runs of these nodes become durable right before the commit, as those of this attempt. A later life takes them as done if the row names the
 * attempt, and else executes the nodes again: nothing of them was kept.
 */
export class RunTransaction {
  readonly #credential: string;
  readonly #attempt = randomUUID();
  readonly #runs: CommittedRun[] = [];
  #connection: DatabaseConnection | undefined;
  /** Ended in an earlier life, or no use any more: why no node can take part. */
  #closed: WorkflowError | undefined;
  /** One node at a time. */
  #turn: Promise<void> = Promise.resolve();

  constructor(credential: string) {
    this.#credential = credential;
  }

  get isOpen(): boolean {
    return this.#connection !== undefined;
  }

  /** Sub-workflows have their own business. */
  joins({ scope }: Pick<Execution, 'scope'>, { credentials = {} }: WorkflowNode): boolean {
    return scope === '' && credentials[TRANSACTION_CREDENTIAL]?.name === this.#credential;
  }

  /** Finds out how an earlier life went that was about to commit. */
  async adopt({ tree: { journal, host }, signal, workflow, executionId }: Execution, connect: Connect): Promise<void> {
    const node = workflow.nodes.find((each) => this.joins({ scope: '' }, each));
    if (!journal.hasPrepared || !node) return;
    let attempt: unknown;
    try {
      const connection = await connect(node);
      attempt = await attemptOf(connection, executionId).finally(() => connection.release());
    } catch (error) {
      signal.throwIfAborted();
      await host.sleep(IN_DOUBT_MS, signal);
      throw journal.giveUp(handBack('It is not known whether the transaction was committed: the database does not tell.', error));
    }
    if (typeof attempt !== 'string') return;
    journal.adopt(attempt);
    this.#closed = failed('it was committed before the execution was taken over, and now the execution goes another way');
  }

  /** The connection of the transaction, for one node; the next gets it after its release. */
  async enter(connect: () => Promise<DatabaseConnection>, { journal, executionId }: { journal: Journal; executionId: string }): Promise<DatabaseConnection> {
    const before = this.#turn;
    const { promise, resolve: leave } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      if (this.#closed) throw this.#closed;
      this.#connection ??= await this.#begin(await connect(), { journal, executionId });
      return this.#share(this.#connection, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Keeps the run of a node that took part until the commit. */
  hold(run: CommittedRun): void {
    this.#runs.push(run);
  }

  /** Rejects with TransactionFailed when nothing was committed, and with what ends this life when nobody knows. */
  async commit(journal: Journal, random: () => number): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    if (this.#closed) throw this.#closed;
    await journal.prepare(this.#attempt, this.#runs);
    try {
      const [result] = await connection.query({ text: 'COMMIT' });
      if (result?.command !== 'COMMIT') throw failed('the database took it back');
    } catch (error) {
      if (error instanceof WorkflowError && error.code === 'DatabaseConnection') throw journal.giveUp(handBack('The connection broke while the transaction was committed.', error));
      throw error instanceof WorkflowError && error.code === 'DatabaseQuery' ? failed(error.message, error) : error;
    }
    this.#connection = undefined;
    // Nobody has to wait for this.
    const forgotten = random() < FORGET_SHARE ? connection.query({ text: FORGET }).then(() => undefined, () => undefined) : Promise.resolve();
    void forgotten.finally(() => connection.release());
  }

  /** Takes back what was not committed. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    // A connection that cannot even do this is closed, which does it too.
    await connection.query({ text: 'ROLLBACK' }).then(() => connection.release(), () => connection.release(true));
  }

  async #begin(connection: DatabaseConnection, { journal, executionId }: { journal: Journal; executionId: string }): Promise<DatabaseConnection> {
    const insert = async (): Promise<void> => {
      await connection.query({ text: `BEGIN; SET LOCAL idle_in_transaction_session_timeout = '${IDLE}'` });
      await connection.query({ text: INSERT, values: [executionId, this.#attempt] });
    };
    try {
      await insert().catch(async (error: unknown) => {
        if (stateOf(error) !== SqlState.UndefinedTable) throw error;
        await connection.query({ text: 'ROLLBACK' });
        await makeTable(connection);
        await insert();
      });
      return connection;
    } catch (error) {
      connection.release(true);
      if (stateOf(error) !== SqlState.UniqueViolation) throw error;
      throw journal.giveUp(handBack('An earlier life of the execution has just committed the transaction.', error));
    }
  }

  /** Each statement, or group of them, can fail without the others: a node may be tried again, or the execution go on after its error. */
  #share(connection: DatabaseConnection, leave: () => void): DatabaseConnection {
    const step = async <T>(work: () => Promise<T>): Promise<T> => {
      await connection.query({ text: `SAVEPOINT ${SAVEPOINT}` });
      try {
        const done = await work();
        await connection.query({ text: `RELEASE SAVEPOINT ${SAVEPOINT}` });
        return done;
      } catch (error) {
        await connection.query({ text: `ROLLBACK TO SAVEPOINT ${SAVEPOINT}` }).catch((cause: unknown) => {
          this.#closed ??= failed('a statement ended it, or its connection broke', cause);
        });
        throw error;
      }
    };
    return {
      query: (statement: DatabaseStatement) => step(() => connection.query(statement)),
      atomically: (work) => step(() => work(connection)),
      release: (close = false) => {
        if (close) this.#closed ??= failed('its connection broke');
        leave();
      },
    };
  }
}

async function attemptOf(connection: DatabaseConnection, executionId: string): Promise<unknown> {
  try {
    const [found] = await connection.query({ text: FIND, values: [executionId] });
    return found?.rows[0]?.attempt;
  } catch (error) {
    if (stateOf(error) === SqlState.UndefinedTable) return undefined;
    throw error;
  }
}

/** Others may make it at the same time. */
async function makeTable(connection: DatabaseConnection): Promise<void> {
  try {
    await connection.query({ text: TABLE });
  } catch (error) {
    const state = stateOf(error);
    if (state === SqlState.NotPermitted) throw failed('the user of the credential may not create the table millrace_transaction. Create it for that user, or grant CREATE on the schema', error);
    if (state !== SqlState.UniqueViolation && state !== SqlState.DuplicateTable) throw error;
  }
}

/** SQLSTATE of what PostgreSQL refused. */
function stateOf(error: unknown): string | undefined {
  const cause = error instanceof WorkflowError && error.code === 'DatabaseQuery' ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

function failed(why: string, cause?: unknown): WorkflowError {
  return new WorkflowError('TransactionFailed', `The transaction of the execution was not committed: ${why}.`, { cause, nonRetryable: true });
}

const handBack = (why: string, cause: unknown): WorkflowError => new WorkflowError(HAND_BACK, why, { cause, nonRetryable: true });
