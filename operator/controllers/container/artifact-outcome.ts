import * as z from 'zod';
import type { PodOutcome } from './pod-outcome.ts';

const LastWords = z.object({ code: z.enum(['ArtifactInvalid', 'ArtifactNotTransferred', 'BinaryNotFound']), message: z.string() });

/** What follows from how a container that moves files ended. */
export function transferFailure({ message = '', reason = '', exitCode }: { message?: string; reason?: string; exitCode: number }): PodOutcome {
  const words = lastWords(message);
  if (!words) return { kind: 'NotTransferred', reason: `exit code ${exitCode}${reason === '' ? '' : `, ${reason}`}` };
  if (words.code === 'ArtifactNotTransferred') return { kind: 'NotTransferred', reason: words.message };
  return { kind: 'Failed', code: words.code, message: `${words.message}.` };
}

function lastWords(message: string): z.output<typeof LastWords> | undefined {
  try {
    return LastWords.safeParse(JSON.parse(message)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
