import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PLAN_VARIABLE } from '../../runner/artifacts/plan.ts';
import type { TransferPlan } from '../../runner/artifacts/plan.ts';
import type { Pod } from '../../operator/kube/builtin.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';

const root = join(import.meta.dirname, '../..');

/** What a kubelet gives a pod for its files: volumes as directories, and a token that is bound to the pod. */
export class PodFiles {
  readonly #pod: Pod;
  readonly #directory: string;

  private constructor(pod: Pod, directory: string) {
    this.#pod = pod;
    this.#directory = directory;
  }

  static async of(plane: ControlPlane, pod: Pod): Promise<PodFiles> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-pod-'));
    const files = new PodFiles(pod, directory);
    const { name, namespace = '', uid = '' } = pod.metadata;
    const [source] = pod.spec?.volumes?.find((volume) => volume.name === 'millrace-token')?.projected?.sources ?? [];
    const { audience = '', path = '' } = source?.serviceAccountToken ?? {};
    const token = await plane.kubectl('create', 'token', 'default', '--namespace', namespace, '--audience', audience, '--bound-object-kind', 'Pod', '--bound-object-name', name, '--bound-object-uid', uid);
    await files.write(join('/var/run/secrets/millrace.dev', path), token);
    return files;
  }

  /** Where something in the pod is on this machine. */
  at(path: string): string {
    return join(this.#directory, path);
  }

  async write(path: string, content: string): Promise<void> {
    await mkdir(dirname(this.at(path)), { recursive: true });
    await writeFile(this.at(path), content);
  }

  /** Runs a container of Millrace's in the pod to its end, and says with which exit code. */
  async run(name: string): Promise<{ exitCode: number | null; output: string }> {
    const container = this.#pod.spec?.initContainers?.find((one) => one.name === name);
    if (!container) throw new Error(`The pod has no container ${name}`);
    for (const { mountPath } of container.volumeMounts ?? []) await mkdir(this.at(mountPath), { recursive: true });
    const plan = JSON.parse(container.env?.find((variable) => variable.name === PLAN_VARIABLE)?.value ?? '') as TransferPlan;
    const moved = { ...plan, tokenFile: this.at(plan.tokenFile), in: plan.in.map((place) => ({ ...place, root: this.at(place.root) })) };
    const child = spawn(process.execPath, container.args ?? [], { cwd: root, env: { [PLAN_VARIABLE]: JSON.stringify(moved) }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text; });
    await once(child, 'close');
    return { exitCode: child.exitCode, output };
  }
}
