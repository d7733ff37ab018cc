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
}

/** What artifacts add to a pod. */
export interface ArtifactParts {
  /** Besides those of the main container. */
  mainMounts: NonNullable<ContainerSpec['volumeMounts']>;
  initContainers: Container[];
  volumes: NonNullable<PodSpec['volumes']>;
}

/** Puts files in their places before the main container starts. */
export const FETCH = 'millrace-fetch';
const TOKEN_VOLUME = 'millrace-token';
const TOKEN_DIRECTORY = '/var/run/secrets/millrace.dev';
/** The kubelet writes a new one long before. */
const TOKEN_SECONDS = 3600;
const PATIENCE_MS = 120_000;

/** What the pod of a step needs besides to get its files; nothing for one without. */
export function artifactParts(spec: ContainerSpec, settings: ArtifactSettings | undefined): ArtifactParts | undefined {
  const incoming = spec.artifacts?.in ?? [];
  if (settings === undefined || incoming.length === 0) return undefined;
  const { mainMounts, transferMounts, in: placed } = artifactVolumes(spec, incoming);
  const plan: TransferPlan = { url: settings.url, tokenFile: `${TOKEN_DIRECTORY}/token`, patienceMs: PATIENCE_MS, in: placed };
  const fetch: Container = {
    ...transferContainer(settings, plan), name: FETCH, args: ['runner/artifacts/main.ts'],
    volumeMounts: [...transferMounts, { name: TOKEN_VOLUME, mountPath: TOKEN_DIRECTORY, readOnly: true }],
  };
  return {
    mainMounts, initContainers: [fetch],
    volumes: [
      ...(transferMounts.some(({ name }) => name === FILES_VOLUME) ? [{ name: FILES_VOLUME, emptyDir: { sizeLimit: settings.volumeSize } }] : []),
      { name: TOKEN_VOLUME, projected: { sources: [{ serviceAccountToken: { audience: settings.audience, expirationSeconds: TOKEN_SECONDS, path: 'token' } }] } },
    ],
  };
}

function transferContainer({ image, imagePullPolicy }: ArtifactSettings, plan: TransferPlan): Omit<Container, 'name'> {
  return {
    image, ...(imagePullPolicy && { imagePullPolicy }),
    env: [{ name: PLAN_VARIABLE, value: JSON.stringify(plan) }],
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
  };
}
