import { join } from 'node:path';

import type { ImageArchive } from '../images/image.ts';
import type { Machine, MachineSpec, ServiceSpec } from './machine.ts';
import type { MachineNetwork } from './network.ts';

/** On the machine's own /run, so that it is gone with the machine. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

/** Where Debian's containernetworking-plugins puts them. */
const CNI_PLUGINS = '/usr/lib/cni';

function containerdConfig(dir: string, pauseImage: string): string {
  return `version = 2
root = "${dir}/containerd"
state = "/run/containerd/state"
# The machine may lack the capability to lower anybody's OOM score.
oom_score = 0

[grpc]
address = "${CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${pauseImage}"
restrict_oom_score_adj = true
# Nothing is pulled here; images are imported from archives.
max_concurrent_downloads = 1

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${CNI_PLUGINS}"
conf_dir = "${dir}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
`;
}

/**
 * Pods are joined by routes, not by a bridge: packets between two pods pass the machine's own tables then, which
 * Services need and which a bridge only does with a kernel module. NetworkPolicies are not enforced.
 */
function cniConfig({ podRange }: MachineNetwork): object {
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipMasq: true,
        // On /run: a machine that was switched off hands out its addresses afresh.
        ipam: { type: 'host-local', ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }], dataDir: '/run/cni-addresses' },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** The container runtime; `pauseImage` names the image that holds a pod's namespaces open. */
export function containerdService({ dir, network }: MachineSpec, pauseImage: string): ServiceSpec {
  const config = join(dir, 'containerd.toml');
  return {
    name: 'containerd',
    command: '/usr/bin/containerd',
    args: ['--config', config],
    files: {
      [config]: containerdConfig(dir, pauseImage),
      [join(dir, 'cni', '10-pods.conflist')]: JSON.stringify(cniConfig(network), null, 2),
    },
  };
}

/** Runs containerd's own client in the namespace that Kubernetes uses. */
export async function ctr(machine: Machine, ...args: string[]): Promise<string> {
  return machine.run('/usr/bin/ctr', ['--address', CONTAINERD_SOCKET, '--namespace', 'k8s.io', ...args]);
}

/** Loads an image from an OCI archive unless an image of that name is there; names carry a content hash. */
export async function importImage(machine: Machine, image: ImageArchive): Promise<void> {
  const present = (await ctr(machine, 'images', 'list', '--quiet')).split('\n');
  if (present.includes(image.name)) return;
  await ctr(machine, 'images', 'import', '--snapshotter', 'overlayfs', image.archive);
}
