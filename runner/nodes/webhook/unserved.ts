import { z } from 'zod';
import type { JsonObject } from '../../engine/item.ts';
import { addressList } from './address-list.ts';
import { credentialTypeOf } from './caller-credential.ts';

/** A value that does not fit is an expression or a mistake, and nothing that protects a webhook may be guessed. */
const Parameters = z.looseObject({
  authentication: z.string().catch('that is not written out').default('none'),
  options: z.looseObject({ ipWhitelist: z.string().catch('unknown').default('') }).catch({ ipWhitelist: 'unknown' }).prefault({}),
});

/**
 * What a webhook node asks of the ingress that it cannot do and must not ignore, in words, or undefined. Activation refuses such a
 * node, and so does the ingress.
 */
export function unservedOption(parameters: JsonObject): string | undefined {
  const { authentication, options } = Parameters.parse(parameters);
  if (authentication !== 'none' && credentialTypeOf(authentication) === undefined) return `the authentication ${authentication.slice(0, 40)}`;
  if (options.ipWhitelist !== '' && addressList(options.ipWhitelist) === undefined) return 'allowed addresses (ipWhitelist) that are no addresses and networks such as 192.0.2.7, 10.0.0.0/8';
  return undefined;
}
