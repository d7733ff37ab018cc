import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { binaries } from './build.ts';
import { cacheDir } from './cache-dir.ts';
import { dockerAnswers, docker } from './docker.ts';
import { freePort } from './free-port.ts';
import { buildah } from './images/buildah.ts';
import { Builder, type ImageArchive } from './images/image.ts';
import { MADE_HERE } from './made-here.ts';
import { say } from './progress.ts';
import { writeShellFile } from './shell-file.ts';
import type { Cluster } from './target.ts';
import { ToolCluster } from './tool-cluster.ts';

export interface CurrentOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where its files go. */
  readonly dir: string;
}

/**
 * The cluster of the user's kubeconfig, in its current context. It is not ours: only namespaces that we made are used and removed,
 * and images reach it through the registry that MILLRACE_REGISTRY names, such as `registry.example.com/team`.
 */
export class CurrentCluster extends ToolCluster implements Cluster {
  readonly builder: Builder;
  readonly shared = true;
  readonly values = {};
  private readonly registry: string | undefined;

  private constructor(kubeconfig: string, builder: Builder, { env, dir }: CurrentOptions) {
    super({ kubeconfig, dir });
    this.builder = builder;
    this.registry = env['MILLRACE_REGISTRY']?.replace(/\/+$/, '');
  }

  /** Throws when there is no kubeconfig. */
  static async open(options: CurrentOptions = { env: process.env, dir: cacheDir('run', 'current') }): Promise<CurrentCluster> {
    const [listed = join(homedir(), '.kube', 'config')] = (options.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
    if (!existsSync(listed)) throw new Error(`--cluster current needs a kubeconfig: ${listed} does not exist. Set KUBECONFIG`);
    return new CurrentCluster(listed, (await dockerAnswers()) ? Builder.Docker : Builder.Buildah, options);
  }

  async up(): Promise<void> {
    if (this.registry === undefined || this.registry === '') {
      throw new Error('--cluster current needs a registry that you may push to and the cluster pulls from: set MILLRACE_REGISTRY, such as registry.example.com/team');
    }
    await mkdir(this.dir, { recursive: true });
    const context = (await this.kubectl('config', 'current-context')).trim();
    say(`Using context ${context} of ${this.kubeconfig}`);
    await this.kubectl('version');
    const pathOf = await binaries(['kubectl', 'helm']);
    await writeShellFile(this.shellFile, { kubeconfig: this.kubeconfig, tools: [pathOf('kubectl'), pathOf('helm')] });
  }

  /** Removes the releases in namespaces that we made, and these namespaces. The definitions of our kinds stay, as after any uninstall. */
  async down(): Promise<void> {
    await this.stopForwarding();
    const namespaces = (await this.kubectl('get', 'namespaces', '--selector', `${MADE_HERE.label}=${MADE_HERE.value}`, '--output', 'jsonpath={.items[*].metadata.name}')).split(' ').filter((name) => name !== '');
    for (const namespace of namespaces) {
      const releases = (await this.helm(['list', '--short', '--namespace', namespace])).split('\n').filter((name) => name !== '');
      for (const release of releases) await this.helm(['uninstall', release, '--namespace', namespace, '--wait', '--timeout', '4m']);
    }
    if (namespaces.length > 0) await this.kubectl('delete', 'namespace', ...namespaces, '--timeout=4m');
    await rm(this.dir, { recursive: true, force: true });
  }

  async load(image: ImageArchive): Promise<string> {
    const name = image.name.replace(/^localhost/, this.registry ?? '');
    if (this.builder === Builder.Buildah) await buildah('push', image.name, `docker://${name}`);
    else {
      await docker('tag', image.name, name);
      await docker('push', name);
    }
    return name;
  }

  /** Through a `kubectl port-forward` that goes on until `down`. */
  async serviceUrl(namespace: string, name: string): Promise<string> {
    await this.stopForwarding();
    const port = await freePort();
    const pathOf = await binaries(['kubectl']);
    const log = await open(join(this.dir, 'port-forward.log'), 'a');
    const args = ['--kubeconfig', this.kubeconfig, '--namespace', namespace, 'port-forward', `service/${name}`, `${String(port)}:http`];
    const child = spawn(pathOf('kubectl'), args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
    child.unref();
    await log.close();
    await writeFile(this.pidFile, String(child.pid));
    const url = `http://127.0.0.1:${String(port)}`;
    for (let tries = 100; ; tries -= 1) {
      if (await fetch(url).then(() => true, () => false)) return url;
      if (tries === 0) throw new Error(`Service ${namespace}/${name} could not be reached through kubectl port-forward`);
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  }

  private get pidFile(): string {
    return join(this.dir, 'port-forward.pid');
  }

  private async stopForwarding(): Promise<void> {
    const pid = Number(await readFile(this.pidFile, 'utf8').catch(() => '0'));
    if (pid > 0 && (await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')).includes('port-forward')) process.kill(pid);
    await rm(this.pidFile, { force: true });
  }
}
