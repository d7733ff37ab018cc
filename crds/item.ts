import * as z from 'zod';
import { anyObject } from './any-object.ts';

/** An item as people write it in manifests: JSON only, files are not kept in the cluster. */
export const item = z.strictObject({
  json: anyObject.describe('The data of the item.'),
}).describe('One item.');
