import type { CertificateAuthority, KeyPair } from './certificates.ts';

/** Keys and certificates that a control plane runs with. */
export interface ControlPlaneKeys {
  readonly ca: CertificateAuthority;
  readonly apiServer: KeyPair;
  /** A client in system:masters. */
  readonly admin: KeyPair;
  readonly serviceAccounts: { readonly publicKey: string; readonly privateKey: string };
}

/** Issues all of them into the authority's folder; `addresses` are the IPs that clients reach the API server under. */
export async function issueControlPlaneKeys(ca: CertificateAuthority, addresses: readonly string[]): Promise<ControlPlaneKeys> {
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  const alternativeNames = [...addresses.map((ip) => `IP:${ip}`), ...names.map((name) => `DNS:${name}`)];
  const [apiServer, admin, serviceAccounts] = await Promise.all([
    ca.issue({ name: 'apiserver', commonName: 'kube-apiserver', groups: ['system:masters'], alternativeNames }),
    ca.issue({ name: 'admin', commonName: 'admin', groups: ['system:masters'] }),
    ca.signingKey('service-accounts'),
  ]);
  return { ca, apiServer, admin, serviceAccounts };
}

export interface EtcdPlace {
  readonly dataDir: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

/**
 * etcd without fsync: test clusters lose processes, never the machine's power, and what the kernel took is kept then.
 * PostgreSQL, where executions live, always runs with fsync.
 */
export function etcdArgs({ dataDir, clientUrl, peerUrl }: EtcdPlace): string[] {
  return [
    '--name=default',
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export interface ApiServerPlace {
  readonly etcdUrl: string;
  readonly bindAddress: string;
  readonly port: number;
  readonly serviceRange: string;
  readonly keys: ControlPlaneKeys;
  /** Appended last, so that they override the ones above. */
  readonly extra?: readonly string[];
}

export function apiServerArgs({ etcdUrl, bindAddress, port, serviceRange, keys, extra = [] }: ApiServerPlace): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${bindAddress}`,
    `--secure-port=${String(port)}`,
    `--service-cluster-ip-range=${serviceRange}`,
    `--client-ca-file=${keys.ca.cert}`,
    `--tls-cert-file=${keys.apiServer.cert}`,
    `--tls-private-key-file=${keys.apiServer.key}`,
    `--kubelet-client-certificate=${keys.apiServer.cert}`,
    `--kubelet-client-key=${keys.apiServer.key}`,
    // The kubelet's serving certificate comes from the cluster's own authority; its name need not resolve.
    `--kubelet-certificate-authority=${keys.ca.cert}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${keys.serviceAccounts.publicKey}`,
    `--service-account-signing-key-file=${keys.serviceAccounts.privateKey}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    '--profiling=false',
    ...extra,
  ];
}
