/** Any JSON-like object. Values are unknown on purpose: expressions and Code nodes may put anything in. */
export type JsonObject = Record<string, unknown>;

/** A file beside an item. The bytes live in the host's BinaryStore under `id`; items carry only the reference. */
export interface BinaryReference {
  id: string;
  mimeType: string;
  /** Size in bytes. */
  size: number;
  /** Lower-case hex digest of the bytes. */
  sha256: string;
  fileName?: string;
  fileExtension?: string;
  directory?: string;
}

/** Says from which item of which input (default 0) of the same node run an output item was made. */
export interface PairedItem {
  item: number;
  input?: number;
  /** Where the pair stands when it is not in what this run got at `input`: Loop Over Items hands on items of earlier runs. */
  source?: { node: string; output: number; run: number };
}

/** The unit of data that flows between nodes. */
export interface Item {
  json: JsonObject;
  binary?: Record<string, BinaryReference>;
  pairedItem?: PairedItem | PairedItem[];
  /** Set when this one item failed in a node that goes on; routes the item to the error output. */
  error?: ErrorRecord;
}

/** An error as it is stored and shown: a stable code first, then the text. Never holds a secret or a stack. */
export interface ErrorRecord {
  /** Stable, documented, CamelCase. */
  code: string;
  message: string;
  description?: string;
  node?: string;
  itemIndex?: number;
  parameter?: string;
  runIndex?: number;
}
