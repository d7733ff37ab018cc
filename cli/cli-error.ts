/**
 * Every code the command line ends with and its exit status. Codes of the API are passed on as they are, with the exit status
 * of their kind. docs/errors.md holds the same table.
 */
export const cliProblems = {
  /** The execution that was waited for did not succeed. */
  ExecutionFailed: { exit: 1 },
  /** The pool takes no work because its RunnerPool says so. */
  PoolPaused: { exit: 1 },
  /** Executions of a pool still run after --timeout. */
  DrainTimeout: { exit: 1 },
  /** `listen` waited in vain. */
  NothingCalled: { exit: 1 },
  /** `validate` found problems. */
  ValidationFailed: { exit: 1 },
  /** Wrong flags or arguments. */
  UsageError: { exit: 2 },
  FileUnreadable: { exit: 2 },
  InvalidInput: { exit: 2 },
  /** The file is no Workflow and no n8n export. */
  InvalidManifest: { exit: 3 },
  /** No server is named and none can be derived from the kubeconfig. */
  NoServer: { exit: 4 },
  ServerUnreachable: { exit: 4 },
  /** What answered is not a Millrace API. */
  UnexpectedAnswer: { exit: 4 },
  /** The kubeconfig holds no token and none was given. */
  NoToken: { exit: 5 },
} as const satisfies Record<string, { exit: number }>;

export type CliProblem = keyof typeof cliProblems;

/** Exit status for a refusal of the API, by HTTP status. */
function exitOfStatus(status: number): number {
  if (status === 401 || status === 403) return 5;
  if (status === 404) return 6;
  return status < 500 ? 7 : 4;
}

/** The one error class of the command line: its message is printed, its exit status is the process's. */
export class CliError extends Error {
  override name = 'CliError';
  readonly code: string;
  readonly exit: number;

  private constructor(code: string, exit: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.exit = exit;
  }

  static of(code: CliProblem, message: string, cause?: unknown): CliError {
    return new CliError(code, cliProblems[code].exit, message, cause);
  }

  /** What the API refused, with its own code. */
  static refused(code: string, status: number, message: string): CliError {
    return new CliError(code, exitOfStatus(status), message);
  }
}
