import type { Impersonation } from '../../operator/kube/cluster.ts';
import type { User } from './kubernetes-auth.ts';

/**
 * The headers under which a request to the API server is the user's own. What the API server adds by itself is left out, since
 * naming it would need a right of its own: `system:authenticated`, the groups of service accounts, and what its token reviews say
 * about the token rather than about the user.
 */
export function actAs({ username, uid, groups = [], extra = {} }: User): Impersonation {
  const serviceAccount = username.startsWith('system:serviceaccount:');
  const named = groups.filter((group) => group !== 'system:authenticated' && !(serviceAccount && group.startsWith('system:serviceaccounts')));
  const said = Object.entries(extra).filter(([key]) => !key.startsWith('authentication.kubernetes.io/'));
  return {
    user: username,
    // With any group named, those of a service account are no longer added.
    ...(named.length === 0 ? {} : { groups: serviceAccount ? groups : named }),
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(said.length === 0 ? {} : { extra: Object.fromEntries(said) }),
  };
}
