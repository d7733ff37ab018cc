import * as z from 'zod';

/** A JSON object whose content the schema does not know: node parameters, item data. The API server keeps it as it is. */
export const anyObject = z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true });
