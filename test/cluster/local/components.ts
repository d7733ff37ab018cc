import { join } from 'node:path';

import type { BinaryPaths } from '../build.ts';
import { apiServerArgs, etcdArgs, type ControlPlaneKeys } from '../control-plane-args.ts';
import type { KeyPair } from '../certificates.ts';
import type { NodeBinary } from '../versions.ts';
import { CONTAINERD_SOCKET } from './containerd.ts';
import type { MachineSpec, ServiceSpec } from './machine.ts';

export const API_PORT = 6443;

export interface ComponentInputs {
  readonly machine: MachineSpec;
  readonly nodeName: string;
  readonly pathOf: BinaryPaths<NodeBinary>;
  readonly keys: ControlPlaneKeys;
  /** The kubelet's serving certificate. */
  readonly kubeletServing: KeyPair;
  /** Paths of the kubeconfigs of the components. */
  readonly kubeconfigs: { readonly controllerManager: string; readonly scheduler: string; readonly kubelet: string; readonly proxy: string };
}

/** The servers of a control plane, in the order in which they start. */
export function controlPlaneServices({ machine, pathOf, keys, kubeconfigs }: ComponentInputs): ServiceSpec[] {
  const { dir, network } = machine;
  const etcdUrl = 'http://127.0.0.1:2379';
  const services: [NodeBinary, string[]][] = [
    ['etcd', etcdArgs({ dataDir: join(dir, 'etcd'), clientUrl: etcdUrl, peerUrl: 'http://127.0.0.1:2380' })],
    [
      'kube-apiserver',
      apiServerArgs({
        etcdUrl,
        bindAddress: '0.0.0.0',
        port: API_PORT,
        serviceRange: network.serviceRange,
        keys,
        // With a loopback address the Service `kubernetes` would have no endpoint.
        extra: [`--advertise-address=${network.address}`],
      }),
    ],
    [
      'kube-controller-manager',
      [
        ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((flag) => `--${flag}=${kubeconfigs.controllerManager}`),
        '--use-service-account-credentials=true',
        `--service-account-private-key-file=${keys.serviceAccounts.privateKey}`,
        `--root-ca-file=${keys.ca.cert}`,
        `--cluster-signing-cert-file=${keys.ca.cert}`,
        `--cluster-signing-key-file=${keys.ca.key}`,
        '--bind-address=127.0.0.1',
        '--leader-elect=false',
        '--profiling=false',
      ],
    ],
    [
      'kube-scheduler',
      [
        ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((flag) => `--${flag}=${kubeconfigs.scheduler}`),
        '--bind-address=127.0.0.1',
        '--leader-elect=false',
        '--profiling=false',
      ],
    ],
  ];
  return services.map(([name, args]) => ({ name, command: pathOf(name), args }));
}

function kubeletConfig({ machine, keys, kubeletServing }: ComponentInputs): object {
  const { dir, network } = machine;
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: keys.ca.cert } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: kubeletServing.cert,
    tlsPrivateKeyFile: kubeletServing.key,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${network.link}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    clusterDNS: [network.dnsAddress],
    clusterDomain: 'cluster.local',
    // The machine is air-gapped: there are no name servers that pods could inherit.
    resolvConf: '',
    // Images exist only here and could not be pulled again, so a full disk must not remove them.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%', 'imagefs.available': '0%' },
    serializeImagePulls: false,
    podLogsDir: join(dir, 'pod-logs'),
    volumePluginDir: join(dir, 'volume-plugins'),
  };
}

function proxyConfig({ machine, nodeName, kubeconfigs }: ComponentInputs): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: kubeconfigs.proxy },
    clusterCIDR: machine.network.podRange,
    hostnameOverride: nodeName,
    mode: 'iptables',
    oomScoreAdj: 0,
    // Host-wide limits of connection tracking stay as the host has them.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    // A Service's changes are seen within tens of milliseconds, not the second that saves work on large clusters.
    iptables: { minSyncPeriod: '50ms', syncPeriod: '30s' },
  };
}

/** The servers of a node, which start once the API server is ready. */
export function nodeServices(inputs: ComponentInputs): ServiceSpec[] {
  const { machine, nodeName, pathOf, kubeconfigs } = inputs;
  const { dir, network } = machine;
  const kubeletFile = join(dir, 'kubelet.json');
  const proxyFile = join(dir, 'kube-proxy.json');
  return [
    {
      name: 'kubelet',
      command: pathOf('kubelet'),
      args: [
        `--config=${kubeletFile}`,
        `--kubeconfig=${kubeconfigs.kubelet}`,
        `--root-dir=${join(dir, 'kubelet')}`,
        `--hostname-override=${nodeName}`,
        `--node-ip=${network.address}`,
      ],
      files: { [kubeletFile]: JSON.stringify(kubeletConfig(inputs), null, 2) },
    },
    {
      name: 'kube-proxy',
      command: pathOf('kube-proxy'),
      args: [`--config=${proxyFile}`],
      files: { [proxyFile]: JSON.stringify(proxyConfig(inputs), null, 2) },
    },
  ];
}
