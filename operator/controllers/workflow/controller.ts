import type { NodeTypes } from '../../../runner/engine/graph.ts';
import type { WorkflowDefinition } from '../../../runner/engine/workflow.ts';
import type { RouteSpec } from '../../../store/route.ts';
import type { Store } from '../../../store/store.ts';
import { ControllerRevision } from '../../kube/builtin.ts';
import type { Cache, Key, Manager, ObjectPass, Pass, Result } from '../../kube/index.ts';
import { StalledError, objectReconciler, owns, patches, reads, toOwner, watch, writes, writesStatus } from '../../kube/index.ts';
import { MANAGED_BY, WORKFLOW_FINALIZER, label } from '../labels.ts';
import type { Needs } from '../needs.ts';
import type { PoolAccess } from '../pool-access.ts';
import { reconcileRequest } from '../reconcile-request.ts';
import { Workflow } from '../resources.ts';
import { definitionOf, unenforced } from './definition.ts';
import { planHistory, revisionCopy } from './history.ts';
import { Inspections } from './inspections.ts';
import type { Inspection } from './inspect.ts';
import { describeProblems } from './problem.ts';
import { publish } from './publish.ts';
import { retire } from './retire.ts';
import type { RouteMirror } from './route-mirror.ts';
import { DEFAULT_POOL, registeredWebhooks, routeOf } from './route.ts';

export const workflowNeeds: Needs = {
  everywhere: [...reads(Workflow, ControllerRevision), ...patches(Workflow), ...writesStatus(Workflow), ...owns(Workflow), ...writes(ControllerRevision)],
  home: [],
};

export interface WorkflowControllerOptions {
  manager: Manager;
  store: Pick<Store, 'revisions' | 'routes' | 'executions'>;
  mirror: RouteMirror;
  nodeTypes: NodeTypes;
  pools: PoolAccess;
  /** Absent: everywhere. */
  namespace?: string;
}

/** Index of the copies of revisions, by the key of their workflow. */
const BY_WORKFLOW = 'workflow';
/** Index of workflows by the name of their RunnerPool. */
const BY_POOL = 'pool';
const poolOf = ({ spec }: Workflow): [string] => [spec.settings?.runnerPool ?? DEFAULT_POOL];
/** Index of the workflows that lost a path to another one, by namespace. */
const LOSERS = 'losers';

/** Publishes Workflows: validates, stores the revision, registers the triggers, keeps copies of revisions in the cluster. */
export function workflowController({ manager, store, mirror, nodeTypes, pools, namespace }: WorkflowControllerOptions): void {
  const scope = namespace === undefined ? {} : { namespace };
  const inspections = new Inspections(nodeTypes);
  const workflows: Cache<Workflow> = manager.cache(Workflow, { ...scope, transform: inspections.prepare, indexes: { [LOSERS]: losersOf, [BY_POOL]: poolOf } });
  const copies: Cache<ControllerRevision> = manager.cache(ControllerRevision, {
    ...scope, metadataOnly: true, labelSelector: `${label.managedBy}=${MANAGED_BY},${label.workflow}`, indexes: { [BY_WORKFLOW]: workflowsOf },
  });
  const objects = manager.client(Workflow);
  const revisions = manager.client(ControllerRevision);

  const reconcile = objectReconciler<Workflow>({
    manager,
    cache: workflows,
    ready: ['Published'],
    suspended: ({ spec }) => spec.suspend === true,
    finalizer: WORKFLOW_FINALIZER,
    finalize: (workflow, pass) => retire(workflow, { store, clock: manager.clock, log: pass.log }),
    async reconcile(workflow, pass) {
      Object.assign(pass.status, reconcileRequest(workflow));
      await admitToPool(workflow, pass.key);
      const definition = definitionOf(workflow);
      const inspected = inspections.of(workflow);
      await judge(workflow, inspected, pass);
      const route = routeOf(workflow, inspected.revision, inspected.triggers);
      const copy = async (): Promise<void> => (route.active ? await keepCopies(workflow, { definition, revision: route.stable }, pass) : undefined);
      const changed = await publish(route, definition, { store, mirror, key: pass.key, copy });
      report(workflow, route, { pass, changed, warnings: inspected.warnings.length });
      return {};
    },
  });

  manager.control({
    name: namespace === undefined ? 'workflow' : `workflow-${namespace}`,
    rbac: workflowNeeds.everywhere,
    watches: [watch(workflows), watch(copies, { to: toOwner(Workflow) }), pools.watch((pool) => workflows.keysByIndex(BY_POOL, pool)), mirror.watch, released(mirror, workflows)],
    concurrency: 8,
    async reconcile(key, pass) {
      if (workflows.get(key) !== undefined) return await reconcile(key, pass);
      return await dropOrphan(key, pass);
    },
  });

  /** Throws StalledError when its pool does not serve its namespace. Then it has no route: nothing of it is accepted, however it is started. */
  async function admitToPool(workflow: Workflow, key: Key): Promise<void> {
    const refusal = pools.refusal(poolOf(workflow)[0], workflow.metadata.namespace ?? '');
    if (refusal === undefined) return;
    const route = mirror.get(key);
    if (route) await store.routes.remove({ namespace: route.namespace, workflow: route.workflow, uid: route.uid });
    mirror.drop(key);
    throw new StalledError('RunnerPoolNotAllowed', { message: refusal });
  }

  /** A route whose workflow is gone: its finalizer was removed by hand, or the database was away when it was deleted. */
  async function dropOrphan(key: Key, pass: Pass): Promise<Result> {
    const route = mirror.get(key);
    if (route === undefined || (namespace !== undefined && route.namespace !== namespace)) return {};
    const live = await objects.get(key, { signal: pass.signal });
    if (live?.metadata.uid === route.uid) return {};
    await store.routes.remove({ namespace: route.namespace, workflow: route.workflow, uid: route.uid });
    mirror.drop(key);
    pass.log.info({ uid: route.uid }, 'Removed the route of a workflow that is gone');
    return {};
  }

  /** Says what is wrong; throws StalledError when it may not be published so. What was published before stays in force. */
  async function judge(workflow: Workflow, { blocking, warnings }: Inspection, pass: ObjectPass<Workflow>): Promise<void> {
    const active = workflow.spec.active === true;
    const problems = [...blocking, ...warnings];
    const errors = problems.filter(({ severity }) => severity === 'error');
    if (problems.length === 0) pass.mark('Valid', 'True', 'Valid', 'the graph can be executed');
    else if (errors.length === 0) pass.mark('Valid', 'True', 'ValidWithWarnings', describeProblems(problems));
    else pass.mark('Valid', 'False', blocking.length > 0 ? 'Invalid' : 'Unfinished', describeProblems(errors));
    if (blocking.length === 0) return;
    const before = mirror.get(pass.key);
    // A workflow that is switched off must be off, however broken it is.
    if (before?.active === true && !active) await store.routes.apply({ ...before, active: false });
    const kept = before === undefined ? '' : `; ${before.active && active ? 'what was published before goes on being executed' : 'nothing was published'}`;
    throw new StalledError('WorkflowInvalid', { message: `${describeProblems(blocking)}${kept}` });
  }

  async function keepCopies(workflow: Workflow, about: { definition: WorkflowDefinition; revision: string }, pass: ObjectPass<Workflow>): Promise<void> {
    const plan = planHistory(workflow, about.revision, copies.byIndex(BY_WORKFLOW, pass.key));
    // Applied, not created: what is created is kept in another form, and would count as changed, which copies must not be, once it gets another number.
    if (plan.write !== undefined) await revisions.apply(revisionCopy(workflow, { ...about, number: plan.write }), { signal: pass.signal });
    // A copy that was just written brings about another pass: those over the limit go then, and nobody waits for it before the status is written.
    else for (const key of plan.remove) await revisions.delete(key, { signal: pass.signal });
  }
}

interface Report {
  pass: ObjectPass<Workflow>;
  changed: boolean;
  warnings: number;
}

function report(workflow: Workflow, route: RouteSpec, { pass, changed, warnings }: Report): void {
  const webhooks = registeredWebhooks(route);
  pass.status.revision = route.stable;
  pass.status.nodes = workflow.spec.nodes.length;
  if (webhooks.length > 0) pass.status.webhooks = webhooks;
  else delete pass.status.webhooks;
  const short = route.stable.slice(0, 10);
  const ignored = unenforced(workflow.spec);
  const note = ignored.length === 0 ? '' : `; not enforced by this version: ${ignored.join(', ')}`;
  const served = webhooks.length === 0 ? '' : ` with ${webhooks.length} webhook${webhooks.length === 1 ? '' : 's'}`;
  if (route.active) pass.mark('Published', 'True', 'Active', `revision ${short} is active${served}${note}`);
  else pass.mark('Published', 'True', 'Draft', `revision ${short} is stored, its triggers are off${warnings === 0 ? '' : `; see condition Valid before activating it`}${note}`);
  if (changed) pass.event('Normal', 'Published', `revision ${short}, ${route.active ? 'active' : 'not active'}`);
}

function losersOf({ metadata, status }: Workflow): string[] {
  const isLoser = status?.conditions?.some(({ type, reason }) => type === 'Stalled' && reason === 'WebhookPathTaken');
  return isLoser ? [metadata.namespace ?? ''] : [];
}

function workflowsOf({ metadata }: ControllerRevision): string[] {
  const name = metadata.labels?.[label.workflow];
  return name === undefined ? [] : [`${metadata.namespace ?? ''}/${name}`];
}

/** Workflows that may get the path they lost, because a route of their namespace changed. */
function released(mirror: RouteMirror, workflows: Cache<Workflow>) {
  return {
    start: (sink: Parameters<RouteMirror['watch']['start']>[0]) => mirror.watch.start({
      ...sink,
      enqueue: (key) => {
        for (const loser of workflows.keysByIndex(LOSERS, key.slice(0, key.indexOf('/')))) sink.enqueue(loser);
      },
    }),
  };
}
