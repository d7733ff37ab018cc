import { run, succeeds } from './command.ts';

/** Whether a Docker engine can be used from here. The client alone is not enough. */
export async function dockerAnswers(): Promise<boolean> {
  return succeeds('docker', ['version', '--format', '{{.Server.Version}}']);
}

/** Runs the Docker client and returns what it printed. Throws CommandError when it fails. */
export async function docker(...args: string[]): Promise<string> {
  return run('docker', args);
}
