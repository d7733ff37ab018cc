import { BlockList, isIP, Socket } from 'node:net';
import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';
import { WorkflowError } from './engine/error.ts';

/**
 * Where workflows may not connect to unless the pool says otherwise: link-local addresses, which carry the cloud's
 * instance metadata and its credentials.
 */
export const DEFAULT_DENIED_CIDRS = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128'] as const;

/** Parses CIDRs such as `10.0.0.0/8`. Throws WorkflowError InvalidConfiguration naming the bad one. */
export function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix = ''] = cidr.split('/');
    const family = isIP(address);
    const bits = Number(prefix);
    if (family === 0 || prefix === '' || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) {
      throw new WorkflowError('InvalidConfiguration', `'${cidr}' is not a CIDR such as 10.0.0.0/8`);
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function isDenied(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function refuse(host: string): WorkflowError {
  return new WorkflowError('EgressDenied', `Connections to ${host} are not allowed from workflows. Change the runner pool's denied networks if they should be.`);
}

type LookupCallback = (error: Error | null, addresses: string | LookupAddress[], family?: number) => void;

/** Resolves names to addresses that workflows may connect to. */
function guardedLookup(denied: BlockList): (hostname: string, options: LookupOptions, callback: LookupCallback) => void {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const bad = addresses.some(({ address }) => isDenied(denied, address));
      if (bad) return done(refuse(hostname), []);
      const [first] = addresses;
      return options.all || !first ? done(null, addresses) : done(null, first.address, first.family);
    });
  };
}

/** A socket for protocols other than HTTP, which refuses the same networks at the same moment. */
export class GuardedSocket extends Socket {
  readonly #denied: BlockList;

  constructor(denied: BlockList) {
    super();
    this.#denied = denied;
  }

  /** By port and host alone. The refusal is an `error` event. */
  override connect(...[port, host]: unknown[]): this {
    const name = typeof host === 'string' ? host : '';
    if (typeof port !== 'number' || name === '' || (isIP(name) !== 0 && isDenied(this.#denied, name))) return this.destroy(refuse(name));
    return super.connect({ port, host: name, lookup: guardedLookup(this.#denied) });
  }
}

/**
 * A fetch with one pool of kept-alive connections that refuses denied networks. The check is made on the address that is
 * connected to, after DNS, so that a name cannot be pointed elsewhere between check and use.
 */
export function createFetch(deniedCidrs: readonly string[]): { fetch: typeof globalThis.fetch; close(): Promise<void> } {
  const denied = blockList(deniedCidrs);
  const connect = buildConnector({
    lookup: guardedLookup(denied),
  });
  const agent = new Agent({
    connect: (options, callback) => {
      const host = options.hostname.replace(/^\[|\]$/g, '');
      if (isIP(host) !== 0 && isDenied(denied, host)) {
        callback(refuse(host), null);
        return;
      }
      connect(options, callback);
    },
  });
  const fetch = (input: unknown, init?: unknown): Promise<unknown> => undiciFetch(input as string, { ...(init as object), dispatcher: agent });
  return { fetch: fetch as typeof globalThis.fetch, close: () => agent.close() };
}
