import { z } from 'zod';
import type { JsonObject } from '../../engine/item.ts';

/** A value that does not fit is an expression or a mistake. Where it protects something it counts as protection that we lack. */
const Parameters = z.looseObject({
  authentication: z.string().catch('unknown').default('none'),
  options: z.looseObject({
    rawBody: z.boolean().catch(true).default(false),
    binaryData: z.boolean().catch(true).default(false),
    ipWhitelist: z.string().catch('unknown').default(''),
  }).catch({ rawBody: false, binaryData: false, ipWhitelist: 'unknown' }).prefault({}),
});

/**
 * What a webhook node asks of the ingress that it cannot do yet and must not ignore, in words, or undefined. Activation refuses such a
 * node, and so does the ingress.
 */
export function unservedOption(parameters: JsonObject): string | undefined {
  const { authentication, options } = Parameters.parse(parameters);
  if (authentication !== 'none') return `the authentication ${authentication}`;
  if (options.ipWhitelist.trim() !== '') return 'a list of allowed addresses (ipWhitelist)';
  if (options.rawBody || options.binaryData) return 'the body as a file (rawBody)';
  return undefined;
}
