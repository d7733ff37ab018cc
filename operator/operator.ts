import type { Registry } from 'prom-client';
import type { NodeTypes } from '../runner/engine/graph.ts';
import type { Store } from '../store/store.ts';
import type { OperatorConfig } from './config.ts';
import type { ContainerSettings } from './controllers/container/controller.ts';
import { containerController } from './controllers/container/controller.ts';
import { StepSource } from './controllers/container/step-source.ts';
import { isolatedRunController } from './controllers/isolated-run/controller.ts';
import { PoolAccess } from './controllers/pool-access.ts';
import { releasePoolController } from './controllers/release-pools/controller.ts';
import { runnerDeployments, runnerPoolController } from './controllers/runner-pool/controller.ts';
import { RunnerPool } from './controllers/resources.ts';
import { webhookCertificateController } from './controllers/webhook-certificates/controller.ts';
import { workflowRunController } from './controllers/workflow-run/controller.ts';
import { ExecutionTracker } from './controllers/workflow-run/execution-tracker.ts';
import { workflowController } from './controllers/workflow/controller.ts';
import { RouteMirror } from './controllers/workflow/route-mirror.ts';
import { databaseMetrics } from './database-metrics.ts';
import type { Cluster, Log, ManagerHealth } from './kube/index.ts';
import { Manager } from './kube/index.ts';
import { poolMetrics } from './pool-metrics.ts';

export interface OperatorOptions {
  cluster: Cluster;
  store: Store;
  nodeTypes: NodeTypes;
  log: Log;
  registry: Registry;
  config: Pick<OperatorConfig, 'home' | 'identity' | 'namespaces' | 'poolsConfigMap' | 'webhooks' | 'runners' | 'isolatedPods'> & { containers?: ContainerSettings | undefined };
  /** Milliseconds; for tests. */
  lease?: { leaseMs: number; renewMs: number; retryMs: number };
}

export interface Operator {
  /** Works until the signal aborts. Rejects when the lease is lost: end the process then. */
  run(signal: AbortSignal): Promise<void>;
  health(): ManagerHealth;
}

export const FIELD_MANAGER = 'millrace-operator';
const LEASE = 'millrace-operator';
/** Of the metrics of controllers, work queues and watches. */
export const METRICS_PREFIX = 'millrace_operator_';

/** All controllers of the operator, in one manager under one lease. */
export function createOperator({ cluster, store, nodeTypes, log, registry, config, lease }: OperatorOptions): Operator {
  const { home, identity, namespaces, poolsConfigMap, webhooks, runners } = config;
  const manager = new Manager({
    cluster, log, registry, metricsPrefix: METRICS_PREFIX, fieldManager: FIELD_MANAGER, leaderElection: { namespace: home, name: LEASE, identity, ...lease },
  });
  const mirror = new RouteMirror();
  const tracker = new ExecutionTracker({ executions: store.executions, notifications: store.notifications, clock: manager.clock, log });

  const poolCache = manager.cache(RunnerPool, namespaces.length === 0 ? {} : { namespace: home });
  const access = new PoolAccess(poolCache, home);
  const expiries: (() => () => void)[] = [];
  for (const namespace of namespaces.length === 0 ? [undefined] : namespaces) {
    const scope = namespace === undefined ? {} : { namespace };
    workflowController({ manager, store, mirror, nodeTypes, pools: access, ...scope });
    expiries.push(workflowRunController({ manager, store, tracker, pools: access, ...scope }));
  }
  const pools = { manager, home, ...(namespaces.length === 0 ? {} : { namespace: home }) };
  const stopPools = runnerPoolController({ ...pools, store, log, defaults: runners });
  const startIsolated = isolatedRunController({ ...pools, store, maxPods: config.isolatedPods, defaults: runners });
  databaseMetrics({
    registry, store, monotonic: () => manager.clock.monotonic(),
    pools: () => poolCache.list().filter(({ metadata }) => metadata.namespace === home).map(({ metadata }) => metadata.name),
  });
  poolMetrics(registry, runnerDeployments(manager, home));
  if (poolsConfigMap !== undefined) releasePoolController({ ...pools, configMap: poolsConfigMap });

  const stepSource = new StepSource({ steps: store.podSteps, notifications: store.notifications, clock: manager.clock, log });
  containerController({ manager, steps: store.podSteps, source: stepSource, home, settings: config.containers, namespaces });

  if (webhooks !== undefined) webhookCertificateController({ manager, home, names: webhooks });

  return {
    health: () => manager.health(),
    async run(signal) {
      const stopMirror = await mirror.start(store.routes);
      const stopTracker = await tracker.start();
      const stopSteps = await stepSource.start();
      const stopIsolated = await startIsolated();
      const stopExpiries = expiries.map((start) => start());
      try {
        await manager.run(signal);
      } finally {
        for (const stop of stopExpiries) stop();
        await stopPools();
        await stopIsolated();
        await stopSteps();
        await stopTracker();
        await stopMirror();
      }
    },
  };
}
