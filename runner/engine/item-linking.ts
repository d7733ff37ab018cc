import type { Item, PairedItem } from './item.ts';

/** What one run of a node gets: items per input index, null where nothing arrived. */
export type Inputs = readonly (readonly Item[] | null)[];

/**
 * Items as the node may see and pass on: each says where it stands in this run's input, so that whatever the node hands
 * through keeps its lineage. The JSON is shared with the sender: nodes never change what they get.
 */
export function stampInputs(inputs: Inputs): Inputs {
  return inputs.map((items, input) => items && items.map((item, index) => stampItem(item, index, input)));
}

function stampItem(item: Item, index: number, input: number): Item {
  const pairedItem: PairedItem = input === 0 ? { item: index } : { item: index, input };
  return item.binary === undefined ? { json: item.json, pairedItem } : { json: item.json, binary: item.binary, pairedItem };
}

/**
 * Links the output items whose node has one input and did not say where they come from: one to one when there is one output
 * of equal length; to the first input item when there is but one input item, or one output item in one output. Anything
 * else stays unlinked, and `.item` says so.
 */
export function linkOutputs(outputs: readonly (Item[] | null)[], inputs: Inputs): void {
  const only = inputs.length === 1 ? inputs[0] : null;
  if (!only) return;
  const made = outputs.length === 1 ? outputs[0]?.length : undefined;
  const isFirst = only.length === 1 || made === 1;
  if (!isFirst && made !== only.length) return;
  for (const items of outputs) {
    items?.forEach((item, index) => {
      item.pairedItem ??= { item: isFirst ? 0 : index };
    });
  }
}

/** Every item of every input: what the empty item of `alwaysOutputData` comes from. */
export function allInputItems(inputs: Inputs): PairedItem[] {
  return inputs.flatMap((items, input) => (items ?? []).map((_, item) => ({ item, input })));
}
