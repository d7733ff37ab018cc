import * as z from 'zod';
import { cel } from './cel.ts';

const keyReference = z.strictObject({
  name: z.string().min(1).max(253).describe('Name of the object, in the namespace of the pool.'),
  key: z.string().min(1).max(253).describe('Key in it.'),
  optional: z.boolean().describe('Start the pod even when it is missing.').exactOptional(),
});

/** One environment variable of a pod: a value, or where to take it from. */
export const envVar = z.strictObject({
  name: z.string().min(1).max(128).regex(/^[A-Za-z_][A-Za-z0-9_]*$/).describe('Name of the variable.'),
  value: z.string().max(4096).describe('The value.').exactOptional(),
  valueFrom: z.strictObject({
    secretKeyRef: keyReference.describe('A key of a Secret.').exactOptional(),
    configMapKeyRef: keyReference.describe('A key of a ConfigMap.').exactOptional(),
  }).meta({ minProperties: 1, maxProperties: 1 }).describe('Where the value is taken from: exactly one of secretKeyRef and configMapKeyRef.').exactOptional(),
}).meta(cel(
  { rule: 'has(self.value) != has(self.valueFrom)', message: 'set exactly one of value and valueFrom' },
  {
    rule: "!self.name.startsWith('MILLRACE_') || self.name.startsWith('MILLRACE_VAR_') || self.name in ['MILLRACE_DENIED_NETWORKS', 'MILLRACE_DATABASE_CONNECTIONS']",
    message: 'names that start with MILLRACE_ are set by the operator, except MILLRACE_VAR_…, MILLRACE_DENIED_NETWORKS and MILLRACE_DATABASE_CONNECTIONS',
    fieldPath: '.name',
    reason: 'FieldValueForbidden',
  },
)).describe('One environment variable.');
