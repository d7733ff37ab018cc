import { PLAN_VARIABLE } from '../../../runner/artifacts/plan.ts';
import type { TransferPlan } from '../../../runner/artifacts/plan.ts';
import type { ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';
import type { Pod } from '../../kube/builtin.ts';
import { artifactVolumes, FILES_VOLUME } from './artifact-volumes.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];

/** How files get into pods. */
export interface ArtifactSettings {
  /** Where pods reach the api that keeps the files, without a slash at the end. */
  url: string;
  /** Whom the pods' tokens are for. */
  audience: string;
  /** Millrace's own, as the workflow's namespace can pull it. */
  image: string;
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  /** Of the volume that files of a pod are in, as a quantity. */
  volumeSize: string;
  /** Of a file that goes out. */
  maxBytes: number;
  /** What there is to hand files out, once the command has ended. */
  uploadSeconds: number;
}

/** What artifacts add to a pod. */
export interface ArtifactParts {
  /** Besides those of the main container. */
  mainMounts: NonNullable<ContainerSpec['volumeMounts']>;
  initContainers: Container[];
  volumes: NonNullable<PodSpec['volumes']>;
  /** Seconds that a pod gets to end. */
  graceSeconds?: number;
}

/** Puts files in their places before the main container starts. */
export const FETCH = 'millrace-fetch';
/** Hands files out when the main container has ended. */
export const SEND = 'millrace-send';
/**
 * Kubelets end sidecars when the main container has ended, and wait for them. A shell waits for that, so that no Node.js has to; it is there long
 * before a main container can have ended.
 */
const AFTER_MAIN = "trap 'exec node runner/artifacts/main.ts' TERM; sleep infinity & wait";
const TOKEN_VOLUME = 'millrace-token';
const TOKEN_DIRECTORY = '/var/run/secrets/millrace.dev';
/** The kubelet writes a new one long before. */
const TOKEN_SECONDS = 3600;
const PATIENCE_MS = 120_000;
/** Left for last words when time is up. */
const LAST_MS = 2000;

/** What the pod of a step needs besides to get and give files; nothing for one without. */
export function artifactParts(spec: ContainerSpec, settings: ArtifactSettings | undefined): ArtifactParts | undefined {
  const { artifacts = {} } = spec;
  if (settings === undefined || !movesFiles(spec)) return undefined;
  const { mainMounts, transferMounts, in: incoming, out: outgoing } = artifactVolumes(spec, artifacts);
  const { url, audience, maxBytes, uploadSeconds, volumeSize } = settings;
  const plan: TransferPlan = { url, tokenFile: `${TOKEN_DIRECTORY}/token`, patienceMs: PATIENCE_MS, in: incoming, out: [], maxBytes };
  const token = { name: TOKEN_VOLUME, mountPath: TOKEN_DIRECTORY, readOnly: true };
  const fetch: Container = { name: FETCH, args: ['runner/artifacts/main.ts'], ...transferContainer(settings, plan), volumeMounts: [...transferMounts, token] };
  const send: Container = {
    name: SEND, restartPolicy: 'Always', command: ['sh', '-c', AFTER_MAIN],
    ...transferContainer(settings, { ...plan, in: [], out: outgoing, patienceMs: uploadSeconds * 1000 - LAST_MS }),
    volumeMounts: [...transferMounts.map((mount) => ({ ...mount, readOnly: true })), token],
  };
  return {
    mainMounts, initContainers: [...(incoming.length > 0 ? [fetch] : []), ...(outgoing.length > 0 ? [send] : [])],
    volumes: [
      ...(transferMounts.some(({ name }) => name === FILES_VOLUME) ? [{ name: FILES_VOLUME, emptyDir: { sizeLimit: volumeSize } }] : []),
      { name: TOKEN_VOLUME, projected: { sources: [{ serviceAccountToken: { audience, expirationSeconds: TOKEN_SECONDS, path: 'token' } }] } },
    ],
    ...(outgoing.length > 0 && { graceSeconds: uploadSeconds }),
  };
}

export function movesFiles({ artifacts: { in: incoming = [], out: outgoing = [] } = {} }: Pick<ContainerSpec, 'artifacts'>): boolean {
  return incoming.length + outgoing.length > 0;
}

function transferContainer({ image, imagePullPolicy }: ArtifactSettings, plan: TransferPlan): Omit<Container, 'name'> {
  return {
    image, ...(imagePullPolicy && { imagePullPolicy }),
    env: [{ name: PLAN_VARIABLE, value: JSON.stringify(plan) }],
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
  };
}
