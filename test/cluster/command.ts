import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is otherwise empty. */
  readonly input?: string;
}

/** A command that exited non-zero or could not be started. The message ends with the end of its output. */
export class CommandError extends Error {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(command: string, exitCode: number | undefined, output: { stdout: string; stderr: string }) {
    const tail = `${output.stdout}\n${output.stderr}`.trim().split('\n').slice(-30).join('\n');
    super(`${command} ${exitCode === undefined ? 'did not run' : `exited with ${String(exitCode)}`}\n${tail}`);
    this.name = 'CommandError';
    this.exitCode = exitCode;
    this.stdout = output.stdout;
    this.stderr = output.stderr;
  }
}

/** Runs a command to its end and returns its standard output. Throws CommandError unless it exits with 0. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    }
    const shown = [command, ...args.slice(0, 3)].join(' ');
    child.on('error', (error) => {
      reject(new CommandError(shown, undefined, { ...output, stderr: error.message }));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(output.stdout);
      else reject(new CommandError(shown, code ?? undefined, output));
    });
    // A command that ends without reading its input closes the pipe early; its exit code tells the rest.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
  });
}

/** Like `run`, but answers whether the command exited with 0. */
export async function succeeds(command: string, args: readonly string[], options: CommandOptions = {}): Promise<boolean> {
  try {
    await run(command, args, options);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}
