import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { binaries } from './build.ts';
import { cacheDir } from './cache-dir.ts';
import { openCertificateAuthority, type KeyPair } from './certificates.ts';
import { run } from './command.ts';
import { apiServerArgs, etcdArgs, issueControlPlaneKeys } from './control-plane-args.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { freePort } from './free-port.ts';
import { answersOk } from './https-probe.ts';
import { kubeconfigFor } from './kubeconfig.ts';
import { CONTROL_PLANE_BINARIES } from './versions.ts';

export interface ControlPlaneOptions {
  /** Name of the context in the kubeconfig; tells several control planes apart. Default `test`. */
  readonly name?: string;
  /** Flags for kube-apiserver; they override the ones of this file. */
  readonly apiServerArgs?: readonly string[];
}

/**
 * A real etcd and kube-apiserver on loopback: what integration tests run against. There is no controller manager and
 * no node: nothing garbage-collects, namespaces stay Terminating, Deployments make no pods, and pods are accepted
 * without their ServiceAccount. About 3 s to start, 310 MB; several run side by side.
 */
export interface ControlPlane {
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  /** Path of a kubeconfig for a user in system:masters. */
  readonly kubeconfig: string;
  /** `http://127.0.0.1:PORT`, without authentication; etcd answers JSON there as well as gRPC. */
  readonly etcdUrl: string;
  /** Runs kubectl as that user and returns what it printed. Throws CommandError when it fails. */
  kubectl(...args: string[]): Promise<string>;
  /** Applies manifests server-side: one YAML or JSON text, or objects. */
  apply(...manifests: (string | object)[]): Promise<void>;
  /** Path of a kubeconfig for a user of this name in these groups, authenticated by certificate. */
  kubeconfigFor(user: string, groups?: readonly string[]): Promise<string>;
  /** Kills kube-apiserver with SIGKILL; etcd and its data stay. */
  killApiServer(): Promise<void>;
  /** Starts it again on the same port and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Kills everything and removes all files. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const [pathOf, dir, etcdPort, peerPort, port] = await Promise.all([
    binaries(CONTROL_PLANE_BINARIES),
    stateDir(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const name = options.name ?? 'test';
  const server = `https://127.0.0.1:${String(port)}`;
  const etcdUrl = `http://127.0.0.1:${String(etcdPort)}`;
  const etcd = await startDaemon({
    name: 'etcd',
    command: pathOf('etcd'),
    args: etcdArgs({ dataDir: join(dir, 'etcd'), clientUrl: etcdUrl, peerUrl: `http://127.0.0.1:${String(peerPort)}` }),
    logFile: join(dir, 'etcd.log'),
  });
  const keys = await issueControlPlaneKeys(await openCertificateAuthority(join(dir, 'pki')), ['127.0.0.1']);
  let apiServer: Daemon | undefined;

  async function startApiServer(): Promise<void> {
    apiServer = await startDaemon({
      name: 'kube-apiserver',
      command: pathOf('kube-apiserver'),
      args: apiServerArgs({
        etcdUrl,
        bindAddress: '127.0.0.1',
        port,
        serviceRange: '10.96.0.0/16',
        keys,
        extra: ['--disable-admission-plugins=ServiceAccount', '--endpoint-reconciler-type=none', ...(options.apiServerArgs ?? [])],
      }),
      logFile: join(dir, 'kube-apiserver.log'),
    });
    await apiServer.waitUntil(() => answersOk(`${server}/readyz`, keys.ca.cert, keys.admin), READY_TIMEOUT_MS);
  }

  async function writeKubeconfig(file: string, client: KeyPair): Promise<string> {
    const path = join(dir, file);
    await writeFile(path, await kubeconfigFor({ name, server, ca: keys.ca.cert, client }), { mode: 0o600 });
    return path;
  }

  async function stop(): Promise<void> {
    await Promise.all([apiServer?.kill(), etcd.kill()]);
    await rm(dir, { recursive: true, force: true });
  }

  try {
    const admin = await writeKubeconfig('kubeconfig', keys.admin);
    await startApiServer();
    const kubectl = (args: readonly string[], input?: string): Promise<string> =>
      run(pathOf('kubectl'), ['--kubeconfig', admin, ...args], {
        // Kubectl caches discovery per server address; a port used before by another control plane must not answer.
        env: { KUBECACHEDIR: join(dir, 'kubectl-cache') },
        ...(input === undefined ? {} : { input }),
      });
    let users = 0;
    return {
      server,
      kubeconfig: admin,
      etcdUrl,
      kubectl: (...args) => kubectl(args),
      async apply(...manifests) {
        const texts = manifests.map((manifest) => (typeof manifest === 'string' ? manifest : JSON.stringify(manifest)));
        await kubectl(['apply', '--server-side', '-f', '-'], texts.join('\n---\n'));
      },
      async kubeconfigFor(user, groups = []) {
        const id = `user-${String(++users)}`;
        return writeKubeconfig(`kubeconfig-${id}`, await keys.ca.issue({ name: id, commonName: user, groups }));
      },
      async killApiServer() {
        await apiServer?.kill();
      },
      startApiServer,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A folder for one control plane. Those of processes that ended without `stop` are removed on the way. */
async function stateDir(): Promise<string> {
  const parent = cacheDir('run');
  await mkdir(parent, { recursive: true });
  for (const entry of await readdir(parent)) {
    const owner = /^control-plane-(\d+)-/.exec(entry)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) await rm(join(parent, entry), { recursive: true, force: true });
  }
  return mkdtemp(join(parent, `control-plane-${String(process.pid)}-`));
}
