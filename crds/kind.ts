import type * as z from 'zod';
import type { CelRule } from './cel.ts';

export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date';
  /** From the object's root, such as `.status.phase`. */
  jsonPath: string;
  description: string;
  /** Above 0: only with `-o wide`. */
  priority?: number;
}

/** One kind of the API: everything its CustomResourceDefinition is generated from. */
export interface KindDefinition<Spec extends z.ZodType = z.ZodType, Status extends z.ZodType = z.ZodType> {
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  description: string;
  spec: Spec;
  status: Status;
  columns: readonly PrinterColumn[];
  /** Rules on the whole object; they may read `self.metadata.name`. */
  rules?: readonly CelRule[];
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string };
}

/** Columns that every kind ends with. */
export const commonColumns: readonly PrinterColumn[] = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status', description: 'Whether the object does what its spec asks.' },
  { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: 'What the operator says about it.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
];
