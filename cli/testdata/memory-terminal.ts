import { CliError } from '../cli-error.ts';
import { runCommandLine } from '../program.ts';

/** Runs a command line in this process, with files and environment of its own. */
export async function millrace(args: readonly string[], given: { files?: Record<string, string>; env?: Record<string, string>; home?: string; name?: string } = {}) {
  const output = { out: '', err: '' };
  const exit = await runCommandLine(args, {
    out: (text) => { output.out += text; },
    err: (text) => { output.err += text; },
    env: given.env ?? {},
    home: given.home ?? '/nowhere',
    now: () => Date.parse('2026-01-01T00:00:10Z'),
    async read(path) {
      const text = given.files?.[path];
      if (text === undefined) throw CliError.of('FileUnreadable', `${path} cannot be read: there is no such file`);
      return text;
    },
  }, { name: given.name ?? 'millrace', version: '0.0.0' });
  return { exit, ...output };
}
