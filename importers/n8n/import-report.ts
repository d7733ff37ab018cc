/**
 * What became of a node: `supported` runs as it is; `translated` runs, written differently; `stubbed` is kept but fails
 * when it is reached; `refused` could not be taken over at all.
 */
export const Verdict = { Supported: 'supported', Translated: 'translated', Stubbed: 'stubbed', Refused: 'refused' } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface NodeReport {
  node: string;
  /** The type as n8n names it. */
  type: string;
  verdict: Verdict;
  /** Why, and what to do. Absent for a supported node. */
  reason?: string;
}
