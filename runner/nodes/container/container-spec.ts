import * as z from 'zod';
import type { JsonObject } from '../../engine/item.ts';
import { ArtifactParameters, Artifacts } from './artifact-spec.ts';

/**
 * What a container node asks for, without expressions. A closed list: whatever is not here (host paths, host namespaces, privileges,
 * devices) cannot be asked for, so the operator may make pods of it with its own rights.
 */

const text = (max: number) => z.string().max(max).refine((value) => !value.includes('\u0000'), 'holds U+0000');
const objectName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'is not the name of an object');
const portName = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'is not a name of lower-case letters, digits and dashes')
  // Nobody mounts the token of the containers that move files.
  .refine((name) => !name.startsWith('millrace-'), 'begins with millrace-, as only what Millrace adds itself may');
const quantity = z.union([z.string().regex(/^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/, 'is not a quantity such as 500m or 256Mi'), z.number().nonnegative().transform(String)]);
const quantities = z.record(z.string().max(64), quantity);
const words = z.array(text(32_768)).max(256);

const keyOf = z.strictObject({ name: objectName, key: z.string().min(1).max(253), optional: z.boolean().exactOptional() });
const variable = z.strictObject({
  name: z.string().regex(/^[-._a-zA-Z][-._a-zA-Z0-9]{0,127}$/, 'is not the name of an environment variable'),
  value: z.union([text(32_768), z.number().transform(String), z.boolean().transform(String)]).exactOptional(),
  valueFrom: z.strictObject({ secretKeyRef: keyOf.exactOptional(), configMapKeyRef: keyOf.exactOptional() })
    .refine((from) => (from.secretKeyRef === undefined) !== (from.configMapKeyRef === undefined), 'needs one of secretKeyRef and configMapKeyRef').exactOptional(),
}).refine(({ value, valueFrom }) => value === undefined || valueFrom === undefined, 'has value and valueFrom: use one');

const mount = z.strictObject({
  name: portName, mountPath: z.string().startsWith('/').max(512), subPath: z.string().max(512).exactOptional(), readOnly: z.boolean().exactOptional(),
});

const SOURCES = ['emptyDir', 'configMap', 'secret', 'persistentVolumeClaim'] as const;
const volume = z.strictObject({
  name: portName,
  emptyDir: z.strictObject({ sizeLimit: quantity.exactOptional(), medium: z.literal('Memory').exactOptional() }).exactOptional(),
  configMap: z.strictObject({ name: objectName, optional: z.boolean().exactOptional() }).exactOptional(),
  secret: z.strictObject({ secretName: objectName, optional: z.boolean().exactOptional() }).exactOptional(),
  persistentVolumeClaim: z.strictObject({ claimName: objectName, readOnly: z.boolean().exactOptional() }).exactOptional(),
}).refine((one) => SOURCES.filter((source) => one[source] !== undefined).length === 1, `needs one of ${SOURCES.join(', ')}`);

const container = {
  image: z.string().regex(/^\S+$/, 'is not an image').max(512),
  command: words.exactOptional(),
  args: words.exactOptional(),
  workingDir: z.string().startsWith('/').max(512).exactOptional(),
  env: z.array(variable).max(200).exactOptional(),
  resources: z.strictObject({ requests: quantities.exactOptional(), limits: quantities.exactOptional() }).exactOptional(),
  volumeMounts: z.array(mount).max(50).exactOptional(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).exactOptional(),
};

const toleration = z.strictObject({
  key: z.string().max(317).exactOptional(), operator: z.enum(['Equal', 'Exists']).exactOptional(), value: z.string().max(63).exactOptional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional(), tolerationSeconds: z.int().exactOptional(),
});

export const ContainerSpec = z.strictObject({
  ...container,
  sidecars: z.array(z.strictObject({ name: portName, ...container })).max(10).exactOptional(),
  volumes: z.array(volume).max(50).exactOptional(),
  artifacts: Artifacts.exactOptional(),
  serviceAccountName: objectName.exactOptional(),
  imagePullSecrets: z.array(objectName).max(20).exactOptional(),
  nodeSelector: z.record(z.string().max(317), z.string().max(63)).exactOptional(),
  tolerations: z.array(toleration).max(50).exactOptional(),
  /** Not 0: containers never run as root. */
  runAsUser: z.int().min(1).max(2 ** 31 - 1).exactOptional(),
  timeoutSeconds: z.int().min(1).max(31_536_000).exactOptional(),
  resultFrom: z.enum(['file', 'log']).exactOptional(),
  /** How often the command is tried again when it fails. */
  retries: z.strictObject({ max: z.int().min(0).max(100), waitMs: z.number().min(0), exponential: z.boolean() }).exactOptional(),
  /** How often it is started again when its node, not itself, was the reason. */
  interruptions: z.int().min(0).max(1000).exactOptional(),
});
export type ContainerSpec = z.output<typeof ContainerSpec>;
export type ContainerFields = Pick<ContainerSpec, keyof typeof container>;

/** What is wrong with parameters as written; expressions are looked at once they have values. */
export function containerProblems(parameters: JsonObject): { parameter: string; message: string }[] {
  const shape: Partial<Record<string, z.ZodType>> = { ...ContainerSpec.shape, artifacts: ArtifactParameters };
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== '' && !holdsExpression(value));
  return given.flatMap(([parameter, value]) => {
    const schema = shape[parameter];
    if (!schema) return [{ parameter, message: 'is not something that a container can have' }];
    const issue = schema.safeParse(value).error?.issues[0];
    return issue ? [{ parameter, message: `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}` }] : [];
  });
}

const holdsExpression = (value: unknown): boolean => JSON.stringify(value)?.includes('"=') ?? false;

/** The spec, or what is wrong with it in words. */
export function readContainerSpec(given: JsonObject): { spec: ContainerSpec } | { problem: string; parameter: string } {
  const { success, data, error } = ContainerSpec.safeParse(given);
  if (success) return { spec: data };
  const [issue] = error.issues;
  return { problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`, parameter: String(issue?.path[0] ?? 'image') };
}
