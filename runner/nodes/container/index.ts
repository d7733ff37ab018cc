import type { ContainerRequest, ContainerResult } from '../../engine/container.ts';
import { durationMs } from '../../engine/duration.ts';
import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType, ParameterDescription } from '../../engine/node-type.ts';
import type { RetryPolicy } from '../../engine/workflow.ts';
import { atItem, continuesOnError, errorItem } from '../item-errors.ts';
import { missingParameters } from '../missing-parameters.ts';
import { prepareParameter } from '../parameter-value.ts';
import { containerProblems, readContainerSpec } from './container-spec.ts';
import { resolveArtifacts } from './resolve-artifacts.ts';

/** Pods for one run of the node. More items come through a loop. */
const MAX_PODS = 1000;
const ID_DIGITS = 20;

const parameters: readonly ParameterDescription[] = [
  { name: 'image', type: 'string', required: true, description: 'Image of the container.' },
  { name: 'command', type: 'json', description: 'Program and first arguments as a list, instead of the image\'s entrypoint.' },
  { name: 'args', type: 'json', description: 'Arguments as a list.' },
  { name: 'workingDir', type: 'string', description: 'Directory the program starts in.' },
  { name: 'env', type: 'json', description: 'Variables as in a pod: `{name, value}`, or `{name, valueFrom}` with secretKeyRef or configMapKeyRef.' },
  { name: 'resources', type: 'json', description: 'Requests and limits as in a pod.' },
  { name: 'volumes', type: 'json', description: 'Volumes as in a pod: emptyDir, configMap, secret or persistentVolumeClaim.' },
  { name: 'volumeMounts', type: 'json', description: 'Where the volumes are mounted.' },
  { name: 'artifacts', type: 'json', description: '`in`: files of the item that the container gets, `{binaryProperty, path}`, or `{raw, path}` for text; further mode, unpack (a tar.gz becomes a directory) and optional. `out`: files that the command writes and the item gets, `{path, binaryProperty}`; further optional, onFailure, pack (a directory becomes a tar.gz), mimeType and fileName.' },
  { name: 'sidecars', type: 'json', description: 'Containers that are started before and stopped after the main one: name, and the fields of the main one.' },
  { name: 'resultFrom', type: 'options', options: ['file', 'log'], default: 'file', description: 'Where the result comes from: the file /dev/termination-log (up to 4 KiB), or what the command printed (up to 64 KiB). JSON is parsed.' },
  { name: 'timeoutSeconds', type: 'number', description: 'A try is ended after so many seconds. The workflow\'s timeout ends it too.' },
  { name: 'interruptions', type: 'number', default: 5, description: 'How often the pod is made anew after eviction, preemption or loss of its node. The node\'s retry counts failures of the command only.' },
  { name: 'serviceAccountName', type: 'string', description: 'One of those that the installation allows. Default: the namespace\'s default without a token.' },
  { name: 'imagePullPolicy', type: 'options', options: ['Always', 'IfNotPresent', 'Never'], description: 'As in a pod.' },
  { name: 'imagePullSecrets', type: 'json', description: 'Names of Secrets of the namespace, as a list.' },
  { name: 'runAsUser', type: 'number', description: 'User the containers run as; never 0. Default 65532.' },
  { name: 'nodeSelector', type: 'json', description: 'Labels of the nodes it may run on.' },
  { name: 'tolerations', type: 'json', description: 'As in a pod.' },
];

function specReader(context: NodeContext, items: readonly Item[]): (item: number) => JsonObject {
  const prepared = parameters.map(({ name }) => [name, prepareParameter(context, name)] as const);
  const retries = retriesOf(context.node.retry);
  return (item) => {
    const values = prepared.map(([name, value]) => [name, value(item)] as const).filter(([, value]) => value !== undefined && value !== null && value !== '');
    const { artifacts, ...given }: JsonObject = Object.fromEntries(values);
    const read = readContainerSpec({ ...given, ...(artifacts !== undefined && { artifacts: resolveArtifacts(artifacts, items[item], item) }), ...(retries && { retries }) });
    if ('spec' in read) return read.spec;
    throw new WorkflowError('ContainerInvalid', `The container cannot be made: ${read.problem}.`, { parameter: read.parameter, itemIndex: item, nonRetryable: true });
  };
}

/** The node's own retry is about its command: the operator starts another pod. */
function retriesOf(retry: RetryPolicy | undefined): { max: number; waitMs: number; exponential: boolean } | undefined {
  return retry && { max: Math.min(retry.maxTries - 1, 100), waitMs: durationMs(retry.wait ?? '1s'), exponential: retry.backoff === 'Exponential' };
}

function toItem(context: NodeContext, { error, files, ...result }: ContainerResult, index: number): Item {
  if (!error) return { json: { exitCode: 0, result: null, log: '', ...result }, ...(files && { binary: files }), pairedItem: { item: index } };
  const failure = new WorkflowError(error.code, error.message, {
    itemIndex: index, nonRetryable: true, ...(result.log !== undefined && result.log !== '' && { description: result.log }),
  });
  if (!continuesOnError(context)) throw atItem(failure, index);
  return { ...errorItem(failure, index), json: { error: error.message, ...result }, ...(files && { binary: files }) };
}

/** Runs a container in a pod of its own, one for each item. */
export const containerNode: NodeType = {
  type: 'container', displayName: 'Container', group: 'action', versions: [1], effect: 'effectful', inputs: 1, outputs: ['main'],
  description: 'Runs a command in a pod of its own in the workflow\'s namespace, one pod for each item, and puts out its exit code, result and log. See docs/containers.md.',
  parameters, retriesItself: true,
  problems: (node) => [...missingParameters('image')(node), ...containerProblems(node.parameters ?? {})],
  async execute(context) {
    const items = context.input();
    const read = specReader(context, items);
    if (items.length > MAX_PODS) {
      throw new WorkflowError('TooManyPods', `${items.length} items would be ${items.length} pods at once; at most ${MAX_PODS} are allowed. Put a Loop Over Items node before this one.`, { nonRetryable: true });
    }
    const requests = items.map((_, item): ContainerRequest => ({ id: context.idempotencyKey(item).slice(0, ID_DIGITS), item, spec: read(item) }));
    const results = await context.runContainers(requests);
    if (!results) return { wait: { on: 'pods' } };
    return [results.map((result, index) => toItem(context, result, index))];
  },
};
