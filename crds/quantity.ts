import * as z from 'zod';

/** A Kubernetes quantity such as `500m` or `256Mi`, kept as written. */
export const quantity = z
  .union([z.int(), z.string().max(32)])
  .meta({ 'x-kubernetes-int-or-string': true, pattern: '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?[0-9]+))?$' });
