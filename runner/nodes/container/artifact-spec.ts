import * as z from 'zod';
import { asText } from '../json-value.ts';

/** Files that go into a container before it starts, and come out after its end. As people write them, and as whoever makes the pod gets them. */

const MAX_RAW = 2 ** 20;

const noNul = (value: string): boolean => !value.includes('\u0000');
const path = z.string().max(512).regex(/^(\/(?!\.{1,2}(\/|$))[^/:]+)+$/, 'is not an absolute path of a file or directory, without colons and ..').refine(noNul, 'holds U+0000');
const raw = z.string().max(MAX_RAW, 'is over 1 MiB: give it as a file').refine(noNul, 'holds U+0000');
const place = {
  path,
  /** Permissions of the file. */
  mode: z.int().min(0).max(0o777).exactOptional(),
  /** It is a tar.gz whose content makes the directory at `path`. */
  unpack: z.boolean().exactOptional(),
};

const unique = (paths: readonly { path: string }[]): boolean => new Set(paths.map((one) => one.path)).size === paths.length;
const list = <T extends z.ZodType<{ path: string }>>(entry: T) => z.array(entry).max(32).refine(unique, 'has a path twice');

const wantedFile = z.strictObject({
  ...place,
  /** Name of the file of the item. */
  binaryProperty: z.string().min(1).max(256).exactOptional(),
  /** The content itself; what is no text becomes JSON. */
  raw: z.unknown().transform(asText).pipe(raw).optional(),
  /** An item without such a file is no mistake. */
  optional: z.boolean().exactOptional(),
}).refine((one) => (one.binaryProperty === undefined) !== (one.raw === undefined), 'needs one of binaryProperty and raw')
  .refine((one) => one.unpack !== true || (one.raw === undefined && one.mode === undefined), 'has unpack, which goes with binaryProperty and without mode');

const ArtifactOut = z.strictObject({
  path,
  /** Name that the file gets at the item. */
  binaryProperty: z.string().min(1).max(256),
  /** A command that does not write it has not failed. */
  optional: z.boolean().exactOptional(),
  /** Kept of a try that fails, too. */
  onFailure: z.boolean().exactOptional(),
  /** It is a directory, and becomes a tar.gz. */
  pack: z.boolean().exactOptional(),
  mimeType: z.string().max(128).regex(/^[\w.+-]+\/[\w.+-]+$/, 'is not a media type').exactOptional(),
  fileName: z.string().min(1).max(255).exactOptional(),
}).refine((one) => one.pack === true || one.path.lastIndexOf('/') > 0, 'lies in the root directory, which cannot be shared: have it written into a directory');
export type ArtifactOut = z.output<typeof ArtifactOut>;

const out = list(ArtifactOut).refine((all) => new Set(all.map((one) => one.binaryProperty)).size === all.length, 'has a binaryProperty twice').exactOptional();

/** The parameter `artifacts`. */
export const ArtifactParameters = z.strictObject({ in: list(wantedFile).exactOptional(), out });
export type ArtifactParameters = z.output<typeof ArtifactParameters>;

const ArtifactIn = z.strictObject({
  ...place,
  file: z.strictObject({ id: z.uuid(), size: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }).exactOptional(),
  raw: raw.exactOptional(),
}).refine((one) => (one.file === undefined) !== (one.raw === undefined), 'needs one of file and raw');
export type ArtifactIn = z.output<typeof ArtifactIn>;

/** With the files of one item. */
export const Artifacts = z.strictObject({ in: list(ArtifactIn).exactOptional(), out });
export type Artifacts = z.output<typeof Artifacts>;
