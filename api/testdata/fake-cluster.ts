import type { RequestOptions } from '../../operator/kube/cluster.ts';
import { KubeError } from '../../operator/kube/errors.ts';

/** Tokens `reader` and `nobody` are valid; reader may do everything in namespace shop, nobody nothing. */
export class FakeCluster {
  reviews: string[] = [];
  down = false;

  async request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    if (this.down) throw new KubeError({ status: 0, reason: 'ApiServerUnreachable', message: 'down' });
    this.reviews.push(path);
    const { spec } = options.body as { spec: { token?: string; user?: string; resourceAttributes?: { namespace?: string } } };
    const status = path.includes('tokenreviews')
      ? { authenticated: spec.token === 'reader' || spec.token === 'nobody', user: { username: spec.token, groups: ['g'] } }
      : { allowed: spec.user === 'reader' && spec.resourceAttributes?.namespace === 'shop' };
    return { status } as T;
  }
}
