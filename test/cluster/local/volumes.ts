import { join } from 'node:path';

/** Enough for several installations of the chart with their databases; a volume is used once in a cluster's life. */
const VOLUME_COUNT = 20;
const STORAGE_CLASS = 'local';

/**
 * A default StorageClass and volumes for it: folders of the machine, made beforehand, since the cluster has no
 * provisioner. `local` volumes rather than hostPath ones, because a pod's fsGroup is applied only to the former.
 */
export function volumeManifests(nodeName: string, dir: string): { readonly manifests: object[]; readonly folders: string[] } {
  const names = Array.from({ length: VOLUME_COUNT }, (_, index) => `local-${String(index)}`);
  const pathOf = (name: string): string => join(dir, 'volumes', name);
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: STORAGE_CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  const onNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] };
  const volumes = names.map((name) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      storageClassName: STORAGE_CLASS,
      capacity: { storage: '20Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path: pathOf(name) },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onNode] }] } },
    },
  }));
  return { manifests: [storageClass, ...volumes], folders: names.map(pathOf) };
}
