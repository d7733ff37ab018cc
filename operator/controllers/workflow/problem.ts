import type { Problem } from '../../../runner/engine/validate.ts';

export type { Problem };

const SHOWN = 5;

/** The first few in one line. */
export function describeProblems(problems: readonly Problem[]): string {
  const lines = problems.slice(0, SHOWN).map(describeProblem);
  if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
  return lines.join('; ');
}

/** One problem with its place and its code. */
export function describeProblem({ code, message, node, parameter }: Problem): string {
  const where = [...(node === undefined ? [] : [`node '${node}'`]), ...(parameter === undefined ? [] : [`parameter ${parameter}`])].join(', ');
  return `${where === '' ? '' : `${where}: `}${message.replace(/\.$/, '')} (${code})`;
}
