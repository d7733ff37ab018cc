import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { z } from 'zod';
import { addressList, containsAddress } from '../../runner/nodes/webhook/address-list.ts';
import { credentialTypeOf } from '../../runner/nodes/webhook/caller-credential.ts';
import type { CredentialReference } from '../../runner/engine/credential.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import { ApiError } from '../problem.ts';
import { isBot } from './bots.ts';
import { callerAddress } from './caller-address.ts';
import { checkCredential } from './check-credential.ts';
import type { Checked } from './check-credential.ts';
import type { Credentials } from './credentials.ts';

/** Who may call a webhook or a form. */
export interface CallerPolicy {
  /** Undefined: from anywhere. */
  addresses: BlockList | undefined;
  ignoreBots: boolean;
  /** What callers have to present; null when something is asked for and no credential is named, which nobody passes. */
  credential: CredentialReference | null | undefined;
}

/** Values that are no text or flag are mistakes, and count as the stricter one. */
const Options = z.looseObject({ ipWhitelist: z.string().catch('unknown').default(''), ignoreBots: z.boolean().catch(true).default(false) })
  .catch({ ipWhitelist: 'unknown', ignoreBots: true }).prefault({});

/** The policy of a node by its parameters; undefined when everybody may call. */
export function callerPolicy(authentication: unknown, options: JsonObject | undefined, credential: CredentialReference | undefined): CallerPolicy | undefined {
  const { ipWhitelist, ignoreBots } = Options.parse(options ?? {});
  const restricted = ipWhitelist.trim() !== '';
  const authenticated = authentication !== undefined && authentication !== 'none';
  if (!restricted && !ignoreBots && !authenticated) return undefined;
  const fits = credential !== undefined && credential.type === credentialTypeOf(authentication);
  return {
    // A list that cannot be read lets nobody in.
    addresses: restricted ? (addressList(ipWhitelist) ?? addressList('')) : undefined,
    ignoreBots,
    credential: authenticated ? (fits ? credential : null) : undefined,
  };
}

export interface CallerChecks {
  credentials: Credentials;
  /** Proxies of our own in front of us. */
  proxyHops: number;
  now: () => number;
}

/**
 * Lets a caller in, or throws ApiError AddressNotAllowed, BotRefused, CallerUnauthenticated or CredentialUnavailable. Resolves to
 * what was presented, undefined when nothing had to be.
 */
export async function admitCaller(request: IncomingMessage, namespace: string, { policy, checks }: { policy: CallerPolicy; checks: CallerChecks }): Promise<Checked | undefined> {
  const { addresses, ignoreBots, credential } = policy;
  if (addresses && !containsAddress(addresses, callerAddress(request, checks.proxyHops))) throw new ApiError('AddressNotAllowed', 'Calls from this address are not taken.');
  if (ignoreBots && isBot(request.headers['user-agent'])) throw new ApiError('BotRefused', 'Programs that only look at links are not served.');
  if (credential === undefined) return undefined;
  if (credential === null) throw new ApiError('CredentialUnavailable', 'What callers have to present cannot be checked.', { cause: new Error('The node names no credential for its authentication') });
  const fields = await checks.credentials(namespace, credential);
  return checkCredential(request.headers, credential.type, { credential: fields, now: checks.now() });
}
