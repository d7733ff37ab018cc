/** What the local cluster is made of, and at which versions. The go.mod files under tools/ pin the same. */

/** A Go module under tools/ from which one or more binaries are built. */
export interface ToolModule {
  /** Folder under tools/, and the first part of the folder in the cache. */
  readonly name: string;
  readonly version: string;
  /** Linker flags; they carry the version that the binary reports. */
  readonly ldflags: string;
  /** Import path of each binary's main package, by the binary's name. */
  readonly binaries: Readonly<Record<string, string>>;
}

/** Kubelets after 1.34 refuse cgroup v1, which many build machines still have. */
const KUBERNETES = '1.34.4';
const ETCD = '3.6.16';
const HELM = '4.3.1';
const COREDNS = '1.15.0';
const KIND = '0.33.0';
const KWOK = '0.8.0';
/** Our own program; it has no version but this. */
const PAUSE = '1';

const STRIP = '-s -w';
const kubernetesVersion = (): string => {
  const [major = '', minor = ''] = KUBERNETES.split('.');
  const variables = { gitVersion: `v${KUBERNETES}`, gitMajor: major, gitMinor: minor };
  return Object.entries(variables)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
};

export const TOOL_MODULES = [
  { name: 'etcd', version: ETCD, ldflags: STRIP, binaries: { etcd: '.' } },
  {
    name: 'kubernetes',
    version: KUBERNETES,
    ldflags: `${STRIP} ${kubernetesVersion()}`,
    binaries: {
      'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
      kubectl: 'k8s.io/kubernetes/cmd/kubectl',
      'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
      'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
      'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
      kubelet: 'k8s.io/kubernetes/cmd/kubelet',
    },
  },
  {
    name: 'helm',
    version: HELM,
    ldflags: `${STRIP} -X helm.sh/helm/v4/internal/version.version=v${HELM}`,
    binaries: { helm: 'helm.sh/helm/v4/cmd/helm' },
  },
  { name: 'pause', version: PAUSE, ldflags: STRIP, binaries: { pause: '.' } },
  { name: 'kind', version: KIND, ldflags: STRIP, binaries: { kind: 'sigs.k8s.io/kind' } },
  { name: 'kwok', version: KWOK, ldflags: STRIP, binaries: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' } },
  { name: 'coredns', version: COREDNS, ldflags: STRIP, binaries: { coredns: '.' } },
] as const satisfies readonly ToolModule[];

type BinariesOf<M> = M extends { readonly binaries: infer B } ? keyof B : never;

/** The name of a binary that `binaries()` in build.ts can provide. */
export type Binary = BinariesOf<(typeof TOOL_MODULES)[number]>;

/** What integration tests need: a control plane without nodes. */
export const CONTROL_PLANE_BINARIES = ['etcd', 'kube-apiserver', 'kubectl'] as const satisfies readonly Binary[];

/** The name of a binary that a node or the installation of the chart needs. */
export type NodeBinary = (typeof NODE_BINARIES)[number];

/** What a whole node and the installation of the chart need. */
export const NODE_BINARIES = [
  ...CONTROL_PLANE_BINARIES,
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubelet',
  'pause',
  'coredns',
  'helm',
] as const satisfies readonly Binary[];
