import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { binaries } from './build.ts';
import type { ControlPlane } from './control-plane.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { freePort } from './free-port.ts';

/** Flags that an API server needs for such nodes: nobody takes the taint of new nodes away, and their certificate is kwok's own. */
export const KWOK_API_SERVER_ARGS = ['--disable-admission-plugins=TaintNodesByCondition', '--kubelet-certificate-authority='];

export interface KwokOptions {
  plane: ControlPlane;
  /** For configuration and logs. */
  dir: string;
  nodes: number;
  /** What every container is said to have printed. */
  log: string;
}

const NODE = { cpu: '64', memory: '256Gi', pods: '500' };
const READY_TIMEOUT_MS = 60_000;

const notDeleted = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const inPhase = (phase: string): object => ({ key: '.status.phase', operator: 'In', values: [phase] });

interface Stage {
  name: string;
  kind: 'Node' | 'Pod';
  when: readonly object[];
  next: object;
}

const nodeStage = (port: number): Stage => ({
  name: 'node-run', kind: 'Node', when: [{ key: '.status.phase', operator: 'NotIn', values: ['Running'] }],
  next: { statusTemplate: JSON.stringify({
    phase: 'Running', capacity: NODE, allocatable: NODE, addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } },
    conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'simulated' }],
  }) },
});

/** What a kubelet writes at the least: that the pod runs, and that it is over. */
const POD_STAGES: readonly Stage[] = [
  { name: 'pod-run', kind: 'Pod', when: [notDeleted, inPhase('Pending')], next: { statusTemplate: statusOf('Running', '{running: {startedAt: {{ $now | Quote }}}}') } },
  {
    name: 'pod-end', kind: 'Pod', when: [notDeleted, inPhase('Running')],
    next: { statusTemplate: statusOf('Succeeded', '{terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}') },
  },
  { name: 'pod-delete', kind: 'Pod', when: [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }], next: { delete: true } },
];

function statusOf(phase: string, state: string): string {
  return [
    '{{ $now := Now }}', `phase: ${phase}`, 'startTime: {{ or .status.startTime $now | Quote }}', 'containerStatuses:', '{{ range .spec.containers }}',
    `- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: "", ready: false, restartCount: 0, state: ${state}}`, '{{ end }}',
  ].join('\n');
}

/** Simulated nodes under a real scheduler: pods are bound, run, are over at once, and their logs can be read. Resolves to how to stop both. */
export async function startKwok({ plane, dir, nodes, log }: KwokOptions): Promise<() => Promise<void>> {
  const [pathOf, port, schedulerPort] = await Promise.all([binaries(['kwok', 'kube-scheduler']), freePort(), freePort()]);
  const [logFile, configFile] = [join(dir, 'container.log'), join(dir, 'kwok.yaml')];
  await writeFile(logFile, log);
  await writeFile(configFile, configuration(logFile, port).map((object) => JSON.stringify(object)).join('\n---\n'));
  const daemons: Daemon[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(daemons.map((daemon) => daemon.kill())));
  try {
    const scheduler = await plane.kubeconfigFor('system:kube-scheduler');
    daemons.push(await startDaemon({
      name: 'kube-scheduler', command: pathOf('kube-scheduler'), logFile: join(dir, 'kube-scheduler.log'),
      args: [`--kubeconfig=${scheduler}`, `--authentication-kubeconfig=${scheduler}`, `--authorization-kubeconfig=${scheduler}`, '--leader-elect=false', '--bind-address=127.0.0.1', `--secure-port=${String(schedulerPort)}`],
    }));
    const kwok = await startDaemon({
      name: 'kwok', command: pathOf('kwok'), logFile: join(dir, 'kwok.log'),
      args: [`--kubeconfig=${plane.kubeconfig}`, `--config=${configFile}`, '--manage-all-nodes=true', '--node-ip=127.0.0.1', `--node-port=${String(port)}`, `--server-address=127.0.0.1:${String(port)}`],
    });
    daemons.push(kwok);
    await kwok.waitUntil(() => fetch(`http://127.0.0.1:${String(port)}/healthz`).then(({ ok }) => ok, () => false), READY_TIMEOUT_MS);
    await plane.apply(...Array.from({ length: nodes }, (_, index) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: `simulated-${String(index)}` } })));
    await plane.kubectl('wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=60s');
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(logFile: string, port: number): object[] {
  const apiVersion = 'kwok.x-k8s.io/v1alpha1';
  return [
    ...[nodeStage(port), ...POD_STAGES].map(({ name, kind, when, next }) => ({
      apiVersion, kind: 'Stage', metadata: { name }, spec: { resourceRef: { apiGroup: 'v1', kind }, selector: { matchExpressions: when }, next },
    })),
    { apiVersion, kind: 'ClusterLogs', metadata: { name: 'all' }, spec: { logs: [{ logsFile: logFile, follow: false }] } },
  ];
}
