import type { Artifact } from '../crds/artifacts.ts';
import { toYaml } from '../crds/artifacts.ts';
import { GROUP, VERSION } from '../crds/group.ts';

/** URL path of the webhook for Workflows. */
export const WORKFLOW_PATH = '/validate-workflow';

export interface ConfigurationOptions {
  name: string;
  /** Where the API server finds the webhooks. */
  clientConfig: { service: { namespace: string; name: string; port: number; path: string } } | { url: string; caBundle: string };
  /** User name of the operator, whose writes are not asked about. */
  operator: string;
}

/**
 * The admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration. With `failurePolicy: Fail` a dead webhook blocks changes of specs, so
 * whatever must go on without it is not asked about: deletions and what they bring (finalizers, owners), metadata, status, the operator.
 */
export function validatingConfiguration({ name, clientConfig, operator }: ConfigurationOptions) {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [{
      name: `workflows.${GROUP}`,
      clientConfig,
      rules: [{ apiGroups: [GROUP], apiVersions: [VERSION], resources: ['workflows'], operations: ['CREATE', 'UPDATE'], scope: 'Namespaced' }],
      matchConditions: [
        { name: 'spec-changed', expression: "request.operation == 'CREATE' || object.metadata.generation != oldObject.metadata.generation" },
        { name: 'not-being-deleted', expression: '!has(object.metadata.deletionTimestamp)' },
        { name: 'not-the-operator', expression: `request.userInfo.username != '${operator}'` },
      ],
      matchPolicy: 'Equivalent',
      failurePolicy: 'Fail',
      timeoutSeconds: 5,
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    }],
  };
}

/** The same for the chart, `{{ tpl (.Files.Get "files/webhook-configuration.yaml") . }}`; the operator (or cert-manager) fills in the caBundle. */
export function chartConfiguration(names: { webhooks: string; webhookConfiguration: string }): Artifact {
  const configuration = validatingConfiguration({
    name: names.webhookConfiguration,
    clientConfig: { service: { namespace: '{{ .Release.Namespace }}', name: names.webhooks, port: 443, path: WORKFLOW_PATH } },
    operator: 'system:serviceaccount:{{ .Release.Namespace }}:{{ include `millrace.name` . }}-operator',
  });
  return {
    path: 'charts/millrace/files/webhook-configuration.yaml',
    content: `# Generated from webhooks/configuration.ts by \`npm run generate\`. Do not edit.\n${toYaml(configuration)}`,
  };
}
