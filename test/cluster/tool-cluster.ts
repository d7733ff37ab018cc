import { join } from 'node:path';
import { binaries } from './build.ts';
import { run } from './command.ts';

/** A cluster as kubectl and Helm see it, in the versions that the project builds. */
export abstract class ToolCluster {
  /** Path of a kubeconfig; its current context is used. */
  readonly kubeconfig: string;
  /** Where the cluster's own files are, and the tools keep what they discover. */
  protected readonly dir: string;

  protected constructor(access: { readonly kubeconfig: string; readonly dir: string }) {
    this.kubeconfig = access.kubeconfig;
    this.dir = access.dir;
  }

  /** File for a shell to read: puts kubectl, helm and millrace on the PATH, and sets KUBECONFIG. */
  get shellFile(): string {
    return join(this.dir, 'shell');
  }

  /** Runs kubectl and returns what it printed. Throws CommandError when it fails. */
  async kubectl(...args: string[]): Promise<string> {
    return this.runTool('kubectl', args);
  }

  /** Runs Helm, `input` on its standard input. */
  async helm(args: readonly string[], input = ''): Promise<string> {
    return this.runTool('helm', args, input);
  }

  /** Applies manifests server-side: YAML or JSON texts, or objects. */
  async apply(...manifests: (string | object)[]): Promise<void> {
    const texts = manifests.map((manifest) => (typeof manifest === 'string' ? manifest : JSON.stringify(manifest)));
    await this.runTool('kubectl', ['apply', '--server-side', '-f', '-'], texts.join('\n---\n'));
  }

  private async runTool(tool: 'helm' | 'kubectl', args: readonly string[], input = ''): Promise<string> {
    const pathOf = await binaries(['kubectl', 'helm']);
    const helm = join(this.dir, 'helm');
    const env = { KUBECACHEDIR: join(this.dir, 'kubectl-cache'), HELM_CACHE_HOME: helm, HELM_CONFIG_HOME: helm, HELM_DATA_HOME: helm };
    return run(pathOf(tool), ['--kubeconfig', this.kubeconfig, ...args], { env, input });
  }
}
