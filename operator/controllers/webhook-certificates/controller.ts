import { Secret, ValidatingWebhookConfiguration } from '../../kube/builtin.ts';
import { canonicalJson } from '../../kube/json.ts';
import type { Manager, PolicyRule } from '../../kube/index.ts';
import { anyChange, patches, reads, watch } from '../../kube/index.ts';
import { MANAGED_BY, label } from '../labels.ts';
import type { Certificates } from './rotation.ts';
import { rotate } from './rotation.ts';

/** Names of the webhooks' objects in the operator's namespace. */
export interface WebhookNames {
  /** ValidatingWebhookConfiguration. */
  configuration: string;
  /** Service in front of the webhooks. */
  service: string;
  /** Secret with the certificates, made by the operator. */
  secret: string;
}

/** On one Secret by name; creating cannot be narrowed to a name. */
export const webhookSecretNeeds = [...reads(Secret), ...patches(Secret)];
export const webhookSecretCreation: PolicyRule[] = [{ apiGroups: [''], resources: ['secrets'], verbs: ['create'] }];
/** On one ValidatingWebhookConfiguration by name; cluster-wide, whatever namespaces are watched. */
export const webhookConfigurationNeeds = [...reads(ValidatingWebhookConfiguration), ...patches(ValidatingWebhookConfiguration)];

export interface WebhookCertificateOptions {
  manager: Manager;
  home: string;
  names: WebhookNames;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (encoded: string): string => Buffer.from(encoded, 'base64').toString();

/** Makes the certificates of the admission webhooks, renews them, and tells the API server whom to trust. */
export function webhookCertificateController({ manager, home, names }: WebhookCertificateOptions): void {
  const secrets = manager.cache(Secret, { namespace: home, fieldSelector: `metadata.name=${names.secret}` });
  const configurations = manager.cache(ValidatingWebhookConfiguration, { fieldSelector: `metadata.name=${names.configuration}` });
  const secretClient = manager.client(Secret);
  const configurationClient = manager.client(ValidatingWebhookConfiguration);
  const dnsNames = ['', '.cluster.local'].map((suffix) => `${names.service}.${home}.svc${suffix}`);
  const secretKey = `${home}/${names.secret}` as const;
  const configurationKey = `/${names.configuration}` as const;

  manager.control({
    name: 'webhookcertificates',
    rbac: [...webhookSecretNeeds, ...webhookSecretCreation, ...webhookConfigurationNeeds],
    watches: [watch(secrets, { to: () => [configurationKey], when: anyChange }), watch(configurations, { when: anyChange })],
    concurrency: 1,
    async reconcile(key, { signal, log }) {
      const configuration = configurations.get(key);
      if (configuration === undefined) return {};
      const webhooks = configuration.webhooks ?? [];
      const trusted = webhooks.map(({ clientConfig }) => text(clientConfig.caBundle ?? ''));
      const live = secrets.get(secretKey);
      const current: Partial<Certificates> | undefined = live && Object.fromEntries(Object.entries(live.data ?? {}).map(([name, value]) => [name, text(value)]));
      const { certificates, nextAt } = rotate({ current, trusted: trusted[0] ?? '', names: dnsNames, now: manager.clock.now() });
      const bundle = certificates['ca.crt'];
      // Trust first: what is served next must be trusted already.
      if (trusted.some((pem) => pem !== bundle)) {
        // A patch and not an apply: an apply would have to name, and so own, fields that are the chart's.
        const patch = webhooks.flatMap(({ name }, index) => [
          { op: 'test' as const, path: `/webhooks/${index}/name`, value: name },
          { op: 'add' as const, path: `/webhooks/${index}/clientConfig/caBundle`, value: base64(bundle) },
        ]);
        await configurationClient.patch(key, { json: patch }, { signal });
      }
      if (canonicalJson(current ?? {}) !== canonicalJson(certificates)) {
        const data = Object.fromEntries(Object.entries(certificates).map(([name, pem]) => [name, base64(pem)]));
        await secretClient.apply({ metadata: { name: names.secret, namespace: home, labels: { [label.managedBy]: MANAGED_BY } }, type: 'kubernetes.io/tls', data }, { signal });
        log.info({ nextAt: new Date(nextAt).toISOString() }, 'Renewed the certificates of the webhooks');
      }
      return { requeueAfterMs: Math.min(nextAt - manager.clock.now(), 43_200_000) };
    },
  });
}
