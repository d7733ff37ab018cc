import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PLAN_VARIABLE } from '../../runner/artifacts/plan.ts';
import type { Place, TransferPlan } from '../../runner/artifacts/plan.ts';
import type { Pod } from '../../operator/kube/builtin.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { until } from '../eventually.ts';

type Container = NonNullable<Pod['spec']>['containers'][number];

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

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true });
  }

  async write(path: string, content: string): Promise<void> {
    await mkdir(dirname(this.at(path)), { recursive: true });
    await writeFile(this.at(path), content);
  }

  /** Runs a container of Millrace's in the pod to its end, one that is a sidecar as when the main container has ended, and says with which exit code. */
  async run(name: string): Promise<{ exitCode: number | null; output: string }> {
    const container = this.#pod.spec?.initContainers?.find((one) => one.name === name);
    if (!container) throw new Error(`The pod has no container ${name}`);
    for (const { mountPath } of container.volumeMounts ?? []) await mkdir(this.at(mountPath), { recursive: true });
    const [program = '', ...args] = [...(container.command ?? [process.execPath]), ...(container.args ?? [])];
    const child = spawn(program, args, {
      cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, [PLAN_VARIABLE]: JSON.stringify(this.#planOf(container)) },
    });
    const { pid = 0 } = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text; });
    const over = once(child, 'exit');
    if (container.restartPolicy === 'Always') {
      await until(async () => ((await catchesTerm(pid)) ? true : undefined));
      child.kill('SIGTERM');
    }
    await over;
    // What the end of a container does to the rest of its processes.
    if (container.restartPolicy === 'Always') process.kill(-pid, 'SIGKILL');
    return { exitCode: child.exitCode, output };
  }

  #planOf({ env = [] }: Container): TransferPlan {
    const plan = JSON.parse(env.find(({ name }) => name === PLAN_VARIABLE)?.value ?? '') as TransferPlan;
    const here = <P extends Place>(place: P): P => ({ ...place, root: this.at(place.root) });
    return { ...plan, tokenFile: this.at(plan.tokenFile), in: plan.in.map(here), out: plan.out.map(here) };
  }
}

async function catchesTerm(pid: number): Promise<boolean> {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${caught}`) >> 14n) % 2n === 1n;
}
