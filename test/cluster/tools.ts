import { join } from 'node:path';
import { binaries } from './build.ts';
import { run } from './command.ts';

/** How the tools reach a cluster. */
export interface ToolAccess {
  readonly kubeconfig: string;
  /** A context of the kubeconfig. Default: its current one. */
  readonly context?: string;
  /** Where the tools keep what they discover. */
  readonly cacheDir: string;
}

/** kubectl and Helm, of the versions that the project builds, against one cluster. */
export class ClusterTools {
  readonly access: ToolAccess;

  constructor(access: ToolAccess) {
    this.access = access;
  }

  /** Runs kubectl and returns what it printed. Throws CommandError when it fails. */
  async kubectl(args: readonly string[], input = ''): Promise<string> {
    return this.run('kubectl', args, input);
  }

  /** Runs Helm, `input` on its standard input. */
  async helm(args: readonly string[], input = ''): Promise<string> {
    return this.run('helm', args, input);
  }

  /** Applies manifests server-side: YAML or JSON texts, or objects. */
  async apply(manifests: readonly (string | object)[]): Promise<void> {
    const texts = manifests.map((manifest) => (typeof manifest === 'string' ? manifest : JSON.stringify(manifest)));
    await this.kubectl(['apply', '--server-side', '-f', '-'], texts.join('\n---\n'));
  }

  private async run(tool: 'helm' | 'kubectl', args: readonly string[], input: string): Promise<string> {
    const pathOf = await binaries(['kubectl', 'helm']);
    const { kubeconfig, context, cacheDir } = this.access;
    const chosen = context === undefined ? [] : [tool === 'helm' ? '--kube-context' : '--context', context];
    const helm = join(cacheDir, 'helm');
    const env = { KUBECACHEDIR: join(cacheDir, 'kubectl-cache'), HELM_CACHE_HOME: helm, HELM_CONFIG_HOME: helm, HELM_DATA_HOME: helm };
    return run(pathOf(tool), ['--kubeconfig', kubeconfig, ...chosen, ...args], { env, input });
  }
}
