import { strFromU8, strToU8, unzipSync, zipSync, type Zippable } from 'fflate';
import { WorkflowError } from '../../engine/error.ts';

/** What the parts of a spreadsheet may come to when they are unpacked; a small file can claim to be huge. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

/** Times inside archives are fixed so that equal items make equal files. 1980 is the first year ZIP knows. */
const MODIFIED = new Date(1980, 0, 2);

/** A ZIP file of texts. */
export function pack(files: Readonly<Record<string, string>>, options: { compress: boolean; stored?: readonly string[] }): Uint8Array {
  const entries: Zippable = {};
  for (const [name, text] of Object.entries(files)) {
    const level = options.compress && !options.stored?.includes(name) ? 6 : 0;
    entries[name] = [strToU8(text), { level, mtime: MODIFIED }];
  }
  return zipSync(entries);
}

/** The texts of the parts that `wanted` names. Throws WorkflowError InvalidFile. */
export function unpack(bytes: Uint8Array, wanted: (name: string) => boolean): Record<string, string> {
  let total = 0;
  try {
    const files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (!wanted(name)) return false;
        total += originalSize;
        if (total > MAX_UNPACKED_BYTES) throw new WorkflowError('InvalidFile', `The spreadsheet is larger than ${MAX_UNPACKED_BYTES / 1024 / 1024} MiB when unpacked.`, { nonRetryable: true });
        return true;
      },
    });
    return Object.fromEntries(Object.entries(files).map(([name, content]) => [name, strFromU8(content)]));
  } catch (cause) {
    if (cause instanceof WorkflowError) throw cause;
    throw new WorkflowError('InvalidFile', 'The file is not an .xlsx or .ods spreadsheet. Older .xls files have to be saved as .xlsx first.', { nonRetryable: true, cause });
  }
}
