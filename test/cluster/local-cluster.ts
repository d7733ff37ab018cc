import { createHash } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { binaries, type BinaryPaths } from './build.ts';
import { cacheDir } from './cache-dir.ts';
import { openCertificateAuthority, type KeyPair } from './certificates.ts';
import { issueControlPlaneKeys, type ControlPlaneKeys } from './control-plane-args.ts';
import { installPackages, NODE_PACKAGES } from './debian-packages.ts';
import { answersOk } from './https-probe.ts';
import { binaryImage } from './images/binary-image.ts';
import { Builder, type ImageArchive } from './images/image.ts';
import { kubeconfigFor } from './kubeconfig.ts';
import { API_PORT, controlPlaneServices, nodeServices, type ComponentInputs } from './local/components.ts';
import { containerdService, importImage } from './local/containerd.ts';
import { dnsManifests } from './local/dns.ts';
import { Machine, type ServiceSpec } from './local/machine.ts';
import { claimIndex } from './local/machine-index.ts';
import { machineNetwork } from './local/network.ts';
import { volumeManifests } from './local/volumes.ts';
import { writeShellFile } from './shell-file.ts';
import type { Cluster } from './target.ts';
import { ToolCluster } from './tool-cluster.ts';
import { NODE_BINARIES, type NodeBinary } from './versions.ts';

const READY_TIMEOUT_MS = 120_000;

/**
 * A real one-node Kubernetes without Docker: control plane, kubelet, kube-proxy, CoreDNS, containerd and runc on a
 * machine made of namespaces. It is air-gapped, keeps its state in the cache folder, and outlives the process that
 * brought it up. NetworkPolicies are stored but not enforced. Several run side by side under different names.
 */
export class LocalCluster extends ToolCluster implements Cluster {
  readonly name: string;
  readonly machine: Machine;
  /** `https://ADDRESS:6443`, reached from the host. */
  readonly server: string;
  readonly shared = false;
  readonly builder = Builder.Buildah;
  readonly values = {};
  private paths: Promise<BinaryPaths<NodeBinary>> | undefined;

  private constructor(name: string, machine: Machine) {
    super({ dir: machine.spec.dir, kubeconfig: join(machine.spec.dir, 'kubeconfig') });
    this.name = name;
    this.machine = machine;
    this.server = `https://${machine.spec.network.address}:${String(API_PORT)}`;
  }

  /** Takes up the cluster of this name, or prepares a new one; `up` makes it run. */
  static async open(name: string): Promise<LocalCluster> {
    const dir = clusterDir(name);
    const network = machineNetwork(await claimIndex(dir));
    return new LocalCluster(name, new Machine({ name: `millrace-${name}`, dir, network }));
  }

  /** Builds the binaries when they are first needed; removing a cluster needs none. */
  private async binaries(): Promise<BinaryPaths<NodeBinary>> {
    return (this.paths ??= binaries(NODE_BINARIES));
  }

  /** Makes the cluster run and waits until pods can be scheduled and names resolved. Repeatable: starts what is missing. */
  async up(): Promise<void> {
    await installPackages(NODE_PACKAGES);
    const pathOf = await this.binaries();
    const [pause, dns] = [await binaryImage('pause', pathOf('pause')), await binaryImage('coredns', pathOf('coredns'))];
    const inputs = await this.componentInputs(pathOf);
    const containerd = containerdService(this.machine.spec, pause.name);
    const [control, node] = [controlPlaneServices(inputs), nodeServices(inputs)];
    await this.haltIfChanged([containerd, ...control, ...node]);

    await this.machine.boot();
    await this.machine.start(containerd);
    for (const service of control.slice(0, 2)) await this.machine.start(service);
    await eventually('containerd takes images', async () => {
      await this.load(pause);
      await this.load(dns);
      return true;
    });
    await eventually('the API server is ready', () => answersOk(`${this.server}/readyz`, inputs.keys.ca.cert, inputs.keys.admin));
    for (const service of control.slice(2)) await this.machine.start(service);
    const nodeStart = new Date();
    const started = await Promise.all(node.map((service) => this.machine.start(service)));
    await this.applyAddons(inputs.nodeName, dns.name);
    await this.waitForNode(inputs.nodeName, started.includes(true) ? nodeStart : new Date(0));
  }

  /** Switches the machine off with SIGKILL for all its processes and starts it again; what was on disk is kept. */
  async reboot(): Promise<void> {
    await this.machine.halt();
    await this.up();
  }

  /** Removes the cluster: processes, mounts, links, cgroups and files. */
  async down(): Promise<void> {
    await this.machine.halt();
    await rm(this.machine.spec.dir, { recursive: true, force: true });
  }

  /** Makes an image available to pods. */
  async load(image: ImageArchive): Promise<string> {
    await importImage(this.machine, image);
    return image.name;
  }

  /** Where a Service's port answers, as seen from the host as well as from pods: `http://CLUSTER_IP`. */
  async serviceUrl(namespace: string, name: string): Promise<string> {
    const template = 'jsonpath={.spec.clusterIP}:{.spec.ports[0].port}';
    return new URL(`http://${await this.kubectl('get', 'service', name, '-n', namespace, '-o', template)}`).origin;
  }

  private async componentInputs(pathOf: BinaryPaths<NodeBinary>): Promise<ComponentInputs> {
    const { dir, name: nodeName, network } = this.machine.spec;
    const ca = await openCertificateAuthority(join(dir, 'pki'));
    const keys = await issueControlPlaneKeys(ca, ['127.0.0.1', network.address, network.apiServiceAddress]);
    const alternativeNames = [`IP:${network.address}`, `DNS:${nodeName}`];
    const kubeletServing = await ca.issue({ name: 'kubelet-serving', commonName: nodeName, alternativeNames });
    const client = async (name: string, user: string, groups: string[] = []): Promise<string> =>
      this.writeKubeconfig(join(dir, 'pki', `${name}.kubeconfig`), keys, await ca.issue({ name, commonName: user, groups }));
    const kubeconfigs = {
      controllerManager: await client('controller-manager', 'system:kube-controller-manager'),
      scheduler: await client('scheduler', 'system:kube-scheduler'),
      kubelet: await client('kubelet', `system:node:${nodeName}`, ['system:nodes']),
      proxy: await client('proxy', 'system:kube-proxy'),
    };
    await this.writeKubeconfig(this.kubeconfig, keys, keys.admin);
    await writeShellFile(this.shellFile, { kubeconfig: this.kubeconfig, tools: [pathOf('kubectl'), pathOf('helm')] });
    return { machine: this.machine.spec, nodeName, pathOf, keys, kubeletServing, kubeconfigs };
  }

  private async writeKubeconfig(path: string, keys: ControlPlaneKeys, client: KeyPair): Promise<string> {
    const access = { name: this.machine.spec.name, server: this.server, ca: keys.ca.cert, client };
    await writeFile(path, await kubeconfigFor(access), { mode: 0o600 });
    return path;
  }

  /** Servers of other versions or with other configuration are not mixed: the machine restarts with the new ones. */
  private async haltIfChanged(services: readonly ServiceSpec[]): Promise<void> {
    const file = join(this.machine.spec.dir, 'services');
    const fingerprint = createHash('sha256').update(JSON.stringify(services)).digest('hex');
    if ((await readFile(file, 'utf8').catch(() => fingerprint)) !== fingerprint) await this.machine.halt();
    await writeFile(file, fingerprint);
  }

  private async applyAddons(nodeName: string, dnsImage: string): Promise<void> {
    const { dir, network } = this.machine.spec;
    const volumes = volumeManifests(nodeName, dir);
    for (const folder of volumes.folders) await mkdir(folder, { recursive: true });
    await this.apply(...dnsManifests(network, dnsImage), ...volumes.manifests);
  }

  /** A node that was switched off is still called Ready in etcd, so only what was said `since` then counts. */
  private async waitForNode(nodeName: string, since: Date): Promise<void> {
    await eventually(`node ${nodeName} is ready`, async () => {
      const template = 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}';
      const [status, time] = (await this.kubectl('get', 'node', nodeName, '-o', template)).split(' ');
      // Heartbeats are told in whole seconds.
      return status === 'True' && Date.parse(time ?? '') >= Math.floor(since.getTime() / 1000) * 1000;
    });
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([this.machine.spec.network.dnsAddress]);
    await eventually('names in the cluster resolve', async () => {
      const [address] = await resolver.resolve4('kubernetes.default.svc.cluster.local');
      return address === this.machine.spec.network.apiServiceAddress;
    });
  }
}

/** Where the cluster of this name keeps its state. */
export function clusterDir(name: string): string {
  return cacheDir('run', `cluster-${name}`);
}

/** Waits until `condition` is true; an error counts as not yet and is told when time is up. */
async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    let last: unknown;
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`Waited ${String(READY_TIMEOUT_MS / 1000)} s in vain until ${what}`, { cause: last });
    await sleep(100);
  }
}
