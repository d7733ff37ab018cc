import type { PolicyRule } from '../kube/index.ts';

/** What a controller has to be allowed: in every namespace it serves, and in the operator's own. The chart's roles are made of these. */
export interface Needs {
  everywhere: readonly PolicyRule[];
  home: readonly PolicyRule[];
}
