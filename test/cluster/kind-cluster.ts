import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { binaries } from './build.ts';
import { cacheDir } from './cache-dir.ts';
import { run } from './command.ts';
import { docker } from './docker.ts';
import { Builder, type ImageArchive } from './images/image.ts';
import { writeShellFile } from './shell-file.ts';
import type { Cluster } from './target.ts';
import { ToolCluster } from './tool-cluster.ts';

/** Port of the node that leads to the one Service which is reached from the host, and which the node publishes. */
const NODE_PORT = 30_080;
const LOOPBACK = '127.0.0.1';

/** A cluster of kind: its node is a container of the Docker engine. Needs that engine, and a registry for the node's image. */
export class KindCluster extends ToolCluster implements Cluster {
  readonly shared = false;
  readonly builder = Builder.Docker;
  readonly values = { api: { service: { type: 'NodePort', nodePort: NODE_PORT } } };
  private readonly name: string;

  constructor(name: string) {
    const dir = cacheDir('run', `kind-${name}`);
    super({ dir, kubeconfig: join(dir, 'kubeconfig') });
    this.name = `millrace-${name}`;
  }

  async up(): Promise<void> {
    await mkdir(this.dir, { recursive: true });
    const names = (await this.kind(['get', 'clusters', '--quiet'])).split('\n');
    if (names.includes(this.name)) await this.kind(['export', 'kubeconfig', '--name', this.name, '--kubeconfig', this.kubeconfig]);
    else await this.kind(['create', 'cluster', '--name', this.name, '--kubeconfig', this.kubeconfig, '--wait', '3m', '--config', '-'], nodeConfig());
    const pathOf = await binaries(['kubectl', 'helm']);
    await writeShellFile(this.shellFile, { kubeconfig: this.kubeconfig, tools: [pathOf('kubectl'), pathOf('helm')] });
  }

  async down(): Promise<void> {
    await this.kind(['delete', 'cluster', '--name', this.name]);
    await rm(this.dir, { recursive: true, force: true });
  }

  async load(image: ImageArchive): Promise<string> {
    await this.kind(['load', 'image-archive', image.archive, '--name', this.name]);
    return image.name;
  }

  async serviceUrl(namespace: string, name: string): Promise<string> {
    const port = await this.kubectl('get', 'service', name, '-n', namespace, '-o', 'jsonpath={.spec.ports[0].nodePort}');
    if (port !== String(NODE_PORT)) throw new Error(`Service ${namespace}/${name} is not on the published port ${String(NODE_PORT)} of the node`);
    // One line per address; `127.0.0.1:49153`.
    const [published = ''] = (await docker('port', `${this.name}-control-plane`, `${String(NODE_PORT)}/tcp`)).trim().split('\n');
    return `http://${published}`;
  }

  private async kind(args: readonly string[], input = ''): Promise<string> {
    const pathOf = await binaries(['kind']);
    return run(pathOf('kind'), args, { input });
  }
}

/** Publishes the node's port on a free port of the loopback. */
function nodeConfig(): string {
  const ports = [{ containerPort: NODE_PORT, listenAddress: LOOPBACK }];
  return JSON.stringify({ kind: 'Cluster', apiVersion: 'kind.x-k8s.io/v1alpha4', nodes: [{ role: 'control-plane', extraPortMappings: ports }] });
}
