import { isTarget, TARGET_NAMES, type Target } from './target.ts';

/** Reads `--cluster KIND` and nothing else; no target when none is named. Throws Error that says what is possible. */
export function parseStartArguments(args: readonly string[]): { readonly target?: Target } {
  if (args.length === 0) return {};
  const [flag, value = '', ...rest] = args.flatMap((arg) => (arg.startsWith('--cluster=') ? ['--cluster', arg.slice('--cluster='.length)] : [arg]));
  if (flag !== '--cluster' || rest.length > 0) throw new Error(`Only --cluster can be given, not ${args.join(' ')}`);
  if (!isTarget(value)) throw new Error(`There is no cluster of kind ${value}; there is ${TARGET_NAMES.join(', ')}`);
  return { target: value };
}
