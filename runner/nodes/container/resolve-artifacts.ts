import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import { binaryFrom } from '../binary-property.ts';
import { ArtifactParameters } from './artifact-spec.ts';
import type { ArtifactIn, Artifacts } from './artifact-spec.ts';

/** What goes into and comes out of the pod of one item. Throws WorkflowError ContainerInvalid, and BinaryMissing when the item lacks a file. */
export function resolveArtifacts(given: unknown, item: Item | undefined, itemIndex: number): Artifacts {
  const { success, data, error } = ArtifactParameters.safeParse(given);
  if (!success) {
    const [issue] = error.issues;
    throw new WorkflowError('ContainerInvalid', `The container cannot be made: ${['artifacts', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'is not valid'}.`, { parameter: 'artifacts', itemIndex, nonRetryable: true });
  }
  const files = (data.in ?? []).flatMap(({ binaryProperty, raw, optional, ...place }): ArtifactIn[] => {
    if (raw !== undefined) return [{ ...place, raw }];
    if (binaryProperty === undefined || (optional === true && item?.binary?.[binaryProperty] === undefined)) return [];
    const { id, size, sha256 } = binaryFrom(item, binaryProperty, itemIndex);
    return [{ ...place, file: { id, size, sha256 } }];
  });
  return { ...(files.length > 0 && { in: files }), ...(data.out && data.out.length > 0 && { out: data.out }) };
}
