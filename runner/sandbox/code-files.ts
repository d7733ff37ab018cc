import type { ExecutionView } from '../engine/execution-view.ts';
import type { BinaryStore } from '../engine/host.ts';
import type { BinaryReference } from '../engine/item.ts';
import { WorkflowError } from '../engine/error.ts';
import { fault } from './fault.ts';
import { bytesOf, SafeBuffer } from './safe-buffer.ts';

const MIME_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv', html: 'text/html', json: 'application/json', pdf: 'application/pdf', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif',
  svg: 'image/svg+xml', txt: 'text/plain', xml: 'application/xml', zip: 'application/zip',
};

/**
 * The files one run of a Code node knows: those of the items it has seen and those it made. Only they may be in what it
 * returns: whoever could invent references could read files of other executions.
 */
export class CodeFiles {
  readonly #view: ExecutionView;
  readonly #store: BinaryStore | undefined;
  readonly #known = new Map<string, BinaryReference>();

  constructor(view: ExecutionView, store: BinaryStore | undefined) {
    this.#view = view;
    this.#store = store;
  }

  add(reference: BinaryReference): void {
    this.#known.set(reference.id, reference);
  }

  /** `this.helpers` of the source. */
  helpers(): object {
    const noNetwork = (): never => {
      throw fault('HelperUnavailable', 'Code cannot reach the network. Use an HTTP Request node before or after this one.');
    };
    return Object.freeze({
      getBinaryDataBuffer: (itemIndex: unknown, property: unknown) => this.#read(Number(itemIndex), String(property)),
      prepareBinaryData: (data: unknown, fileName?: unknown, mimeType?: unknown) => this.#write(data, fileName, mimeType),
      httpRequest: noNetwork, httpRequestWithAuthentication: noNetwork, request: noNetwork, requestWithAuthentication: noNetwork,
    });
  }

  async #read(itemIndex: number, property: string): Promise<SafeBuffer> {
    const binary = this.#view.input(0)[itemIndex]?.binary;
    const reference = binary && Object.hasOwn(binary, property) ? binary[property] : undefined;
    if (!reference) throw fault('BinaryNotFound', `Item ${itemIndex} has no file in '${property}'.`);
    return SafeBuffer.from(await settled(this.#requireStore().get(reference)));
  }

  async #write(data: unknown, fileName: unknown, mimeType: unknown): Promise<object> {
    // A copy: the store may keep the bytes, the source may change its buffer.
    const bytes = new Uint8Array(typeof data === 'string' ? SafeBuffer.from(data) : bytesOf(data));
    const name = typeof fileName === 'string' && fileName !== '' ? fileName : undefined;
    const extension = name?.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : undefined;
    const type = typeof mimeType === 'string' && mimeType !== '' ? mimeType : (MIME_TYPES[extension?.toLowerCase() ?? ''] ?? 'application/octet-stream');
    const reference = await settled(
      this.#requireStore().put(bytes, { mimeType: type, ...(name === undefined ? {} : { fileName: name }), ...(extension === undefined ? {} : { fileExtension: extension }) }),
    );
    this.add(reference);
    return { ...reference };
  }

  #requireStore(): BinaryStore {
    if (!this.#store) throw fault('BinaryUnavailable', 'Files are not available here.');
    return this.#store;
  }

  /** Replaces references in a plain result by the known ones, whose name and type may differ. Throws WorkflowError BinaryUnknown. */
  restore(result: unknown): unknown {
    for (const item of [result].flat()) {
      const binary = isRecord(item) ? item.binary : undefined;
      if (isRecord(binary)) for (const [property, value] of Object.entries(binary)) binary[property] = this.#restored(value);
    }
    return result;
  }

  #restored(value: unknown): unknown {
    if (!isRecord(value) || value.id === undefined) return value;
    const known = typeof value.id === 'string' ? this.#known.get(value.id) : undefined;
    if (!known) throw new WorkflowError('BinaryUnknown', 'The code returned a file that is neither from an item it read nor made with prepareBinaryData().');
    const { mimeType, fileName, fileExtension } = value;
    const text = Object.entries({ mimeType, fileName, fileExtension }).filter(([, each]) => typeof each === 'string');
    return { ...known, ...Object.fromEntries(text) };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What a store rejects with may be anything; sandboxed code gets its message only. */
async function settled<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fault(error instanceof WorkflowError ? error.code : 'BinaryUnavailable', error instanceof Error ? error.message : 'The file store failed.');
  }
}
