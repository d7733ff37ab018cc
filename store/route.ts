import type { JsonObject } from '../runner/engine/item.ts';
import type { Limits } from './limits.ts';
import type { CredentialReference } from '../runner/engine/credential.ts';
import type { WorkflowDefinition } from '../runner/engine/workflow.ts';

/** How much of a finished execution is kept: everything, everything but the items, or nothing. */
export const Keep = { All: 'All', Summary: 'Summary', None: 'None' } as const;
export type Keep = (typeof Keep)[keyof typeof Keep];

/** What is kept of executions that succeed, and of those that fail or are canceled. */
export interface SavePolicy {
  success: Keep;
  failure: Keep;
}

/** A webhook. `path` has no slash at either end; a segment `:name` matches anything. Unique by namespace, method and path. */
export interface WebhookTrigger {
  kind: 'Webhook';
  node: string;
  /** Upper case. */
  method: string;
  path: string;
  /** When the caller is answered, in the workflow's own terms. */
  responseMode: 'onReceived' | 'lastNode' | 'responseNode';
  /** The node's other parameters that the ingress needs (response code, raw body, authentication …). */
  options: JsonObject;
  /** What callers have to present is checked against it. */
  credential?: CredentialReference;
}

/** A form that people fill in. `path` as that of a webhook, without parameters. Unique by namespace and path. */
export interface FormTrigger {
  kind: 'Form';
  node: string;
  path: string;
  /** The workflow may show more pages after this one. */
  pages: boolean;
  /** The node's other parameters. */
  options: JsonObject;
  /** What people have to present is checked against it. */
  credential?: CredentialReference;
}

/** Any other trigger. The store keeps it for whoever serves that kind. */
export interface OtherTrigger {
  kind: 'Schedule' | 'Watch';
  node: string;
  options: JsonObject;
}

export type RouteTrigger = WebhookTrigger | FormTrigger | OtherTrigger;

/** Names a workflow. */
export interface WorkflowKey {
  namespace: string;
  workflow: string;
}

/** What decides, for every new execution of a workflow, which revision runs where. One row, written by the workflow's controller. */
export interface RouteSpec extends WorkflowKey {
  /** UID of the Workflow object: a workflow made anew under the same name is another one. */
  uid: string;
  /** Triggers of an inactive workflow are refused; manual and sub-workflow executions are not. */
  active: boolean;
  /** Revision that new executions run. */
  stable: string;
  /** Revision that `weight` percent of new executions run instead. */
  canary?: string;
  /** 0 to 100. Default 0. */
  weight?: number;
  /** Name of the RunnerPool. */
  pool: string;
  /** 0 to 9, higher first. */
  priority: number;
  /** Milliseconds an execution may take from its first start. Absent: no limit. */
  timeoutMs?: number;
  save: SavePolicy;
  /** On executions at once and on starts. Absent: none. */
  limits?: Limits;
  triggers: readonly RouteTrigger[];
}

export interface Route extends RouteSpec {
  weight: number;
  /** Grows with every change of any route. */
  epoch: number;
}

/** A webhook that another workflow of the same namespace has claimed already. */
export interface RouteConflict {
  method: string;
  path: string;
  owner: WorkflowKey;
}

/** With conflicts nothing was written: the earlier route, if there is one, stays in force. */
export interface RouteApplied {
  changed: boolean;
  epoch: number;
  conflicts: RouteConflict[];
}

export interface RouteListener {
  /** The full set: at first, after every reconnect, and when a look every 30 seconds finds that a message was lost. */
  replace(routes: Route[]): void;
  put(route: Route): void;
  drop(key: WorkflowKey): void;
}

export interface Routes {
  /**
   * Writes only if something differs. With the definition that `stable` is the revision of, that is stored as well, in one transaction: afterwards
   * both are there or neither.
   */
  apply(route: RouteSpec, definition?: WorkflowDefinition): Promise<RouteApplied>;
  /** Removes the route if it still belongs to that UID; executions already accepted go on. Resolves to whether it was there. */
  remove(key: WorkflowKey & { uid: string }): Promise<boolean>;
  get(key: WorkflowKey): Promise<Route | undefined>;
  list(): Promise<Route[]>;
  /** Keeps a cache current. Resolves after the first `replace`, to a function that stops it. */
  watch(listener: RouteListener): Promise<() => Promise<void>>;
}
