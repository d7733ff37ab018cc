import type { RequestOptions } from '../../operator/kube/cluster.ts';
import { KubeError } from '../../operator/kube/errors.ts';

/** Tokens `reader` and `nobody` are valid; reader may do everything in namespace shop, nobody nothing. */
export class FakeCluster {
  reviews: string[] = [];
  down = false;
  /** Answers writes of objects; every other is forbidden. */
  write: (path: string, options: RequestOptions) => unknown = (path, { method }) => {
    throw new KubeError({ status: 403, reason: 'Forbidden', message: `${method} ${path}: workflows is forbidden` });
  };
  /** `namespace/name` → Secret as the API server gives it; every other is not there. */
  secrets = new Map<string, { metadata: { labels: Record<string, string> }; data: Record<string, string> }>();

  async request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    if (this.down) throw new KubeError({ status: 0, reason: 'ApiServerUnreachable', message: 'down' });
    const [, namespace = '', name = ''] = /^\/api\/v1\/namespaces\/([^/]+)\/secrets\/([^/]+)$/.exec(path) ?? [];
    if (name !== '') return this.#secret(`${namespace}/${name}`) as T;
    if (path.startsWith('/apis/millrace.dev/')) return this.write(path, options) as T;
    this.reviews.push(path);
    const { spec } = options.body as { spec: { token?: string; user?: string; resourceAttributes?: { namespace?: string } } };
    const status = path.includes('tokenreviews')
      ? { authenticated: spec.token === 'reader' || spec.token === 'nobody', user: { username: spec.token, groups: ['g'] } }
      : { allowed: spec.user === 'reader' && spec.resourceAttributes?.namespace === 'shop' };
    return { status } as T;
  }

  /** A Secret of namespace shop with the label that makes it a credential. */
  addCredential(name: string, type: string, fields: Record<string, string>): void {
    const data = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
    this.secrets.set(`shop/${name}`, { metadata: { labels: { 'millrace.dev/credential-type': type } }, data });
  }

  #secret(key: string): unknown {
    const secret = this.secrets.get(key);
    if (secret) return secret;
    throw new KubeError({ status: 404, reason: 'NotFound', message: `secrets "${key}" not found` });
  }
}
