import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:https';
import type { NodeTypes } from '../runner/engine/graph.ts';
import { refusalOf } from '../operator/controllers/pool-access.ts';
import { RunnerPool, Workflow } from '../operator/controllers/resources.ts';
import { Secret } from '../operator/kube/builtin.ts';
import { Informer, keyOf, systemClock } from '../operator/kube/index.ts';
import type { Cluster, Log } from '../operator/kube/index.ts';
import { admittedWorkflow } from './admission-review.ts';
import { WORKFLOW_PATH } from './configuration.ts';
import type { AdmissionMetrics } from './metrics.ts';
import { PATH_CLAIMS, pathClaims } from './path-claims.ts';
import { admissionServer } from './server.ts';
import { validateAdmission } from './validate-workflow.ts';

export interface AdmissionOptions {
  cluster: Cluster;
  nodeTypes: NodeTypes;
  log: Log;
  home: string;
  secret: string;
  /** Empty: all. */
  namespaces: readonly string[];
  metrics?: AdmissionMetrics;
}

export interface Admission {
  server: Server;
  /** Whether it has a certificate and knows all Workflows and RunnerPools. */
  ready(): boolean;
  /** Watches until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** The admission webhooks: any number of replicas, no leader, nothing written. */
export function createAdmission({ cluster, nodeTypes, log, home, secret, namespaces, metrics }: AdmissionOptions): Admission {
  const runtime = { cluster, clock: systemClock, log };
  const secrets = new Informer(Secret, { namespace: home, fieldSelector: `metadata.name=${secret}` }, runtime);
  const pools = new Informer(RunnerPool, { namespace: home }, runtime);
  const workflows = (namespaces.length === 0 ? [undefined] : namespaces).map((namespace) => new Informer(Workflow, {
    ...(namespace === undefined ? {} : { namespace }), indexes: { [PATH_CLAIMS]: pathClaims }, transform: onlyClaims,
  }, runtime));
  let hasCertificate = false;

  const server = admissionServer({
    log,
    ...(metrics === undefined ? {} : { metrics }),
    handlers: {
      [WORKFLOW_PATH]: (request) => {
        const workflow = admittedWorkflow(request);
        if (workflow === undefined) return { allowed: true, warnings: [] };
        return validateAdmission(workflow, {
          nodeTypes, owners: (claim) => workflows.flatMap(({ cache }) => cache.byIndex(PATH_CLAIMS, claim)),
          poolRefusal: (pool, namespace) => refusalOf(pool, namespace, pools.cache.get(`${home}/${pool}`)?.spec.allowedNamespaces),
        });
      },
    },
  });

  secrets.cache.subscribe(({ after }) => {
    const { 'tls.crt': cert, 'tls.key': key } = after?.data ?? {};
    if (cert === undefined || key === undefined) return;
    server.setSecureContext({ cert: Buffer.from(cert, 'base64'), key: Buffer.from(key, 'base64') });
    hasCertificate = true;
    metrics?.certificateExpires(new X509Certificate(Buffer.from(cert, 'base64')).validToDate.getTime());
    log.info({ secret: after === undefined ? secret : keyOf(after) }, 'Loaded the certificate');
  });

  return {
    server,
    ready: () => hasCertificate && pools.cache.synced && workflows.every(({ cache }) => cache.synced),
    run: async (signal) => {
      await Promise.all([secrets, pools, ...workflows].map((informer) => informer.run(signal)));
    },
  };
}

/** Ten thousand graphs would be a lot of memory for a look at their paths. */
function onlyClaims({ apiVersion, kind, metadata, status }: Workflow): Workflow {
  const { name, namespace = '', uid = '', resourceVersion = '' } = metadata;
  return {
    apiVersion, kind, metadata: { name, namespace, uid, resourceVersion }, spec: { nodes: [] },
    ...(status?.webhooks === undefined ? {} : { status: { webhooks: status.webhooks } }),
  };
}
