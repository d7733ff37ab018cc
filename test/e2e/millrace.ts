import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../cluster/error-code.ts';
import { createNamespace, installMillrace, type Installation } from '../cluster/install.ts';
import { LocalCluster } from '../cluster/local-cluster.ts';
import { processesOfPod } from '../cluster/local/process-table.ts';
import { eventually, until } from '../eventually.ts';

/** Name of the cluster that all end-to-end tests share; each test works in a namespace of its own. */
export const E2E_CLUSTER = 'e2e';

const DOUBLES = join(import.meta.dirname, '../doubles');
const SCRIPTS = ['effect-server.ts', 'effect-server-main.ts'];

/** What is off by default and tested. */
const VALUES = { containers: { enabled: true, keepSeconds: 5 } };

const ENDS: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Canceled']);

interface Answer {
  status: number;
  json: unknown;
}

/** Millrace in a cluster, and one namespace of it, as its users see them. */
export class Millrace {
  readonly cluster: LocalCluster;
  readonly namespace: string;
  readonly #installation: Installation;
  readonly #token: string;

  private constructor(cluster: LocalCluster, installation: Installation, namespace: string, token: string) {
    this.cluster = cluster;
    this.namespace = namespace;
    this.#installation = installation;
    this.#token = token;
  }

  /** Brings up what is not up, and makes the namespace with a user who may edit in it. */
  static async start(namespace: string): Promise<Millrace> {
    const cluster = await LocalCluster.open(E2E_CLUSTER);
    await cluster.up();
    return this.inNamespace(cluster, await installMillrace(cluster, { values: VALUES }), namespace);
  }

  /** Makes the namespace, where Millrace is installed already. */
  static async inNamespace(cluster: LocalCluster, installation: Installation, namespace: string): Promise<Millrace> {
    await createNamespace(cluster, namespace);
    await cluster.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'editor', namespace } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'editor', namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' }, subjects: [{ kind: 'ServiceAccount', name: 'editor', namespace }],
      },
    );
    const token = await cluster.kubectl('create', 'token', 'editor', '--namespace', namespace);
    return new Millrace(cluster, installation, namespace, token.trim());
  }

  get system(): string {
    return this.#installation.namespace;
  }

  kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl('--namespace', this.namespace, ...args);
  }

  async remove(): Promise<void> {
    await this.cluster.kubectl('delete', 'namespace', this.namespace, '--wait=false');
  }

  /** Applies a Workflow with these spec fields and waits until it is Ready. */
  async deploy(name: string, spec: object): Promise<void> {
    const workflow = { apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: this.namespace }, spec: { active: true, ...spec } };
    // On a busy machine the admission webhook may not answer in time; GitOps tools try again as well.
    await eventually(() => this.cluster.apply(workflow), { everyMs: 500 });
    await this.kubectl('wait', '--for=condition=Ready', `workflows.millrace.dev/${name}`, '--timeout=60s');
  }

  /** Calls a webhook of the namespace, with a JSON body. */
  async webhook(path: string, body: unknown = {}, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Answer> {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers }, ...(signal && { signal }) };
    return this.#fetch(`/webhook/${this.namespace}/${path}`, init);
  }

  /** Calls the REST API as the namespace's editor. */
  async api(path: string, init: RequestInit = {}): Promise<Answer> {
    return this.#fetch(`/api/v1/namespaces/${this.namespace}${path}`, { ...init, headers: { authorization: `Bearer ${this.#token}` } });
  }

  /** Waits for the end of one execution. */
  async ended(id: string): Promise<{ status: string; attempts: number }> {
    return until(async () => {
      const { json } = await this.api(`/executions/${id}`);
      const execution = json as { status: string; attempts: number };
      return ENDS.has(execution.status) ? execution : undefined;
    }, { withinMs: 120_000 });
  }

  /** Executions of a workflow that ended, newest first; as many as asked for, or it waits. */
  async finished(workflow: string, count: number): Promise<{ id: string; status: string; attempts: number }[]> {
    return until(async () => {
      const { json } = await this.api(`/executions?workflow=${workflow}&limit=200`);
      const { items } = json as { items: { id: string; status: string; attempts: number }[] };
      const ended = items.filter(({ status }) => ENDS.has(status));
      return ended.length >= count ? ended : undefined;
    }, { withinMs: 120_000 });
  }

  async pods(selector: string): Promise<{ metadata: { name: string; uid: string }; status: { podIP?: string } }[]> {
    const text = await this.cluster.kubectl('get', 'pods', '--namespace', this.system, '--selector', selector, '--output', 'json');
    return (JSON.parse(text) as { items: { metadata: { name: string; uid: string }; status: { podIP?: string } }[] }).items;
  }

  /** kill -9 of all processes of a pod, at once. */
  async killPod(uid: string): Promise<void> {
    for (const { pid } of await processesOfPod(uid)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // It went by itself, or with the one before it.
        if (!hasCode(error, 'ESRCH')) throw error;
      }
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(`${this.#installation.apiUrl}${path}`, init);
    const text = await response.text();
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
  }

  /** The counting double of test/doubles in a pod; it is steered and asked over HTTP. */
  async startEffects(): Promise<{ url: string; count(path: string): Promise<number>; hold(path: string): Promise<void>; release(path: string): Promise<void> }> {
    const data = Object.fromEntries(await Promise.all(SCRIPTS.map(async (file) => [file, await readFile(join(DOUBLES, file), 'utf8')])));
    const [runner] = await this.pods('app.kubernetes.io/component=runner');
    const image = (await this.cluster.kubectl('get', 'pod', runner?.metadata.name ?? '', '--namespace', this.system, '--output', 'jsonpath={.spec.containers[0].image}')).trim();
    const metadata = { name: 'effects', namespace: this.namespace, labels: { app: 'effects' } };
    await this.cluster.apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
      {
        apiVersion: 'v1', kind: 'Pod', metadata,
        spec: {
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [{
            name: 'effects', image, args: ['/double/effect-server-main.ts'], volumeMounts: [{ name: 'double', mountPath: '/double' }],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          }],
          volumes: [{ name: 'double', configMap: { name: 'effects' } }],
        },
      },
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'effects' }, ports: [{ port: 80, targetPort: 8080 }] } },
    );
    await this.kubectl('wait', '--for=condition=Ready', 'pod/effects', '--timeout=60s');
    const url = await this.cluster.serviceUrl(this.namespace, 'effects');
    const steer = async (verb: string, path: string): Promise<unknown> => (await fetch(`${url}/_${verb}?path=${path}`)).json();
    await until(() => steer('requests', '/'));
    return {
      url,
      count: async (path) => ((await steer('requests', path)) as unknown[]).length,
      hold: async (path) => void (await steer('hold', path)),
      release: async (path) => void (await steer('release', path)),
    };
  }
}
