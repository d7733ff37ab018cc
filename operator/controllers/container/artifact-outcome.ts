import * as z from 'zod';
import type { BinaryReference } from '../../../runner/engine/item.ts';
import type { ArtifactOut } from '../../../runner/nodes/container/artifact-spec.ts';
import type { PodFile } from '../../../store/pod-steps.ts';
import type { PodOutcome } from './outcome.ts';

const LastWords = z.object({ code: z.enum(['ArtifactInvalid', 'ArtifactMissing', 'ArtifactNotTransferred', 'ArtifactTooLarge', 'BinaryNotFound']), message: z.string() });
type LastWords = z.output<typeof LastWords>;

/** What has become of a pod whose command succeeded, by what is known of the files it was to give. `unsaid`: why there may be less. */
export function withFiles(succeeded: Extract<PodOutcome, { kind: 'Succeeded' }>, wanted: readonly ArtifactOut[], { files, unsaid }: { files: Files; unsaid: string }): PodOutcome {
  for (const [index, { optional, path }] of wanted.entries()) {
    const given = files.get(index);
    if (given === undefined) return { kind: 'NotTransferred', reason: `nothing is known of ${path}${unsaid === '' ? '' : `; ${unsaid}`}` };
    if ('problem' in given && !(optional === true && given.problem.code === 'ArtifactMissing')) return failureOf(given.problem, 0);
  }
  return succeeded;
}

/** By their place among those that were wanted. */
export type Files = ReadonlyMap<number, PodFile>;

/** Those that go on, of a try that succeeded or failed. */
export function keptFiles(wanted: readonly ArtifactOut[], files: Files, failed: boolean): Record<string, BinaryReference> | undefined {
  const kept = wanted.flatMap(({ binaryProperty, onFailure }, index) => {
    const given = files.get(index);
    return given && 'file' in given && (!failed || onFailure === true) ? [[binaryProperty, given.file] as const] : [];
  });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function failureOf({ code, message }: { code: string; message: string }, exitCode?: number): PodOutcome {
  const known = LastWords.shape.code.safeParse(code).data;
  if (known === undefined || known === 'ArtifactNotTransferred') return { kind: 'NotTransferred', reason: message };
  return { kind: 'Failed', code: known, message: `${message}.`, ...(exitCode !== undefined && { exitCode }) };
}

/** What follows from how a container that moves files ended. */
export function transferFailure({ message = '', reason = '', exitCode }: { message?: string; reason?: string; exitCode: number }): PodOutcome {
  const words = lastWords(message);
  if (!words) return { kind: 'NotTransferred', reason: `exit code ${exitCode}${reason === '' ? '' : `, ${reason}`}` };
  return failureOf(words);
}

function lastWords(message: string): LastWords | undefined {
  try {
    return LastWords.safeParse(JSON.parse(message)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
