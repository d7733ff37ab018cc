/** Addresses of one local cluster. Clusters differ by their index, so that several run on one host. */
export interface MachineNetwork {
  /** The link on the host's side; 15 characters at most. */
  readonly link: string;
  readonly hostAddress: string;
  /** The machine's only address: API server, kubelet and NodePorts are reached under it, from the host too. */
  readonly address: string;
  readonly podRange: string;
  readonly serviceRange: string;
  /** First address of the service range, that of the `kubernetes` Service. */
  readonly apiServiceAddress: string;
  readonly dnsAddress: string;
}

const MAX_INDEX = 255;

/** Throws RangeError for an index that has no addresses. */
export function machineNetwork(index: number): MachineNetwork {
  if (!Number.isInteger(index) || index < 0 || index > MAX_INDEX) throw new RangeError(`A machine's index is 0 to ${String(MAX_INDEX)}, not ${String(index)}`);
  const i = String(index);
  return {
    link: `millrace${i}`,
    hostAddress: `10.213.${i}.1`,
    address: `10.213.${i}.2`,
    podRange: `10.214.${i}.0/24`,
    serviceRange: `10.215.${i}.0/24`,
    apiServiceAddress: `10.215.${i}.1`,
    dnsAddress: `10.215.${i}.10`,
  };
}
