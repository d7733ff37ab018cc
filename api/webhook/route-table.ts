import type { FormTrigger, Route, RouteListener, WebhookTrigger, WorkflowKey } from '../../store/route.ts';
import { matchPattern, parsePattern } from './path-pattern.ts';
import type { PathPattern } from './path-pattern.ts';
import { webhookSettings } from './webhook-settings.ts';
import type { WebhookSettings } from './webhook-settings.ts';

/** A webhook of an active workflow, ready to be called. */
export interface Webhook extends WorkflowKey {
  readonly trigger: WebhookTrigger;
  readonly settings: WebhookSettings;
  readonly pattern: PathPattern;
}

/** A form of an active workflow. */
export interface FormRoute extends WorkflowKey {
  readonly trigger: FormTrigger;
}

/** What answers at one URL: the webhook for the method, if there is one, and all methods that are possible. */
export interface RouteMatch {
  webhook: Webhook | undefined;
  params: Record<string, string>;
  allow: readonly string[];
}

interface Namespace {
  /** Paths without parameters: joined segments → webhooks. */
  literal: Map<string, Webhook[]>;
  /** Paths with parameters, those with more literal segments first. */
  patterns: Webhook[];
}

/** All active webhooks in memory. Fed by the store's route watch. */
export class RouteTable implements RouteListener {
  #routes = new Map<string, Route>();
  #namespaces = new Map<string, Namespace>();
  /** `namespace/path` → form. */
  #forms = new Map<string, FormRoute>();

  /** Number of workflows with a route. */
  get size(): number {
    return this.#routes.size;
  }

  replace(routes: Route[]): void {
    this.#routes = new Map(routes.map((route) => [nameOf(route), route]));
    this.#namespaces = new Map();
    this.#forms = new Map();
    for (const route of this.#routes.values()) this.#add(route);
  }

  put(route: Route): void {
    this.drop(route);
    this.#routes.set(nameOf(route), route);
    this.#add(route);
  }

  drop(key: WorkflowKey): void {
    const namespace = this.#namespaces.get(key.namespace);
    const known = this.#routes.get(nameOf(key));
    if (!known) return;
    this.#routes.delete(nameOf(key));
    for (const [path, { workflow }] of formsOf(known)) if (this.#forms.get(path)?.workflow === workflow) this.#forms.delete(path);
    if (!namespace) return;
    const others = (webhook: Webhook): boolean => webhook.workflow !== key.workflow;
    for (const { pattern } of webhooksOf(known)) {
      const path = pattern.segments.join('/');
      const left = namespace.literal.get(path)?.filter(others) ?? [];
      if (left.length > 0) namespace.literal.set(path, left);
      else namespace.literal.delete(path);
    }
    namespace.patterns = namespace.patterns.filter(others);
  }

  /** The webhook that is meant by decoded path segments; undefined when no method is possible there. */
  find(namespace: string, method: string, segments: readonly string[]): RouteMatch | undefined {
    const known = this.#namespaces.get(namespace);
    if (!known) return undefined;
    const allow = new Set<string>();
    let found: { webhook: Webhook; params: Record<string, string> } | undefined;
    for (const webhook of known.literal.get(segments.join('/')) ?? []) {
      allow.add(webhook.trigger.method);
      if (webhook.trigger.method === method) found ??= { webhook, params: {} };
    }
    for (const webhook of known.patterns) {
      const params = matchPattern(webhook.pattern, segments);
      if (!params) continue;
      allow.add(webhook.trigger.method);
      if (webhook.trigger.method === method) found ??= { webhook, params };
    }
    return allow.size === 0 ? undefined : { webhook: found?.webhook, params: found?.params ?? {}, allow: [...allow].sort() };
  }

  findForm(namespace: string, path: string): FormRoute | undefined {
    return this.#forms.get(`${namespace}/${path}`);
  }

  #add(route: Route): void {
    for (const [path, form] of formsOf(route)) this.#forms.set(path, form);
    for (const webhook of webhooksOf(route)) {
      const namespace = this.#namespaces.get(route.namespace) ?? { literal: new Map<string, Webhook[]>(), patterns: [] };
      this.#namespaces.set(route.namespace, namespace);
      const { segments, literals } = webhook.pattern;
      if (literals < segments.length) {
        namespace.patterns = [...namespace.patterns, webhook].sort((a, b) => b.pattern.literals - a.pattern.literals);
      } else {
        const path = segments.join('/');
        namespace.literal.set(path, [...(namespace.literal.get(path) ?? []), webhook]);
      }
    }
  }
}

function formsOf({ active, namespace, workflow, triggers }: Route): [string, FormRoute][] {
  return active ? triggers.flatMap((trigger) => (trigger.kind === 'Form' ? [[`${namespace}/${trigger.path}`, { namespace, workflow, trigger }]] : [])) : [];
}

function webhooksOf(route: Route): Webhook[] {
  if (!route.active) return [];
  return route.triggers.filter((trigger) => trigger.kind === 'Webhook').map((trigger) => ({
    namespace: route.namespace, workflow: route.workflow, trigger, settings: webhookSettings(trigger.options, trigger.credential), pattern: parsePattern(trigger.path),
  }));
}

function nameOf({ namespace, workflow }: WorkflowKey): string {
  return `${namespace}/${workflow}`;
}
