/** Extensions of the media types that workflows meet most. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'application/json': 'json', 'application/pdf': 'pdf', 'application/zip': 'zip', 'application/gzip': 'gz', 'application/xml': 'xml', 'text/xml': 'xml',
  'application/octet-stream': 'bin', 'application/rtf': 'rtf', 'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx', 'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/msword': 'doc', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'text/plain': 'txt', 'text/csv': 'csv', 'text/html': 'html', 'text/calendar': 'ics', 'text/css': 'css', 'text/javascript': 'js', 'text/markdown': 'md',
  'image/png': 'png', 'image/jpeg': 'jpeg', 'image/gif': 'gif', 'image/svg+xml': 'svg', 'image/webp': 'webp', 'image/avif': 'avif', 'image/tiff': 'tiff',
  'audio/mpeg': 'mp3', 'audio/wav': 'wav', 'audio/ogg': 'ogg', 'audio/mp4': 'm4a', 'video/mp4': 'mp4', 'video/webm': 'webm', 'video/quicktime': 'mov',
};

/** Spellings of extensions beside the usual one. */
const ALIASES: Readonly<Record<string, string>> = { jpg: 'image/jpeg', htm: 'text/html', yml: 'application/yaml', yaml: 'application/yaml', tif: 'image/tiff' };

const TYPES = new Map([...Object.entries(EXTENSIONS).toReversed().map(([type, extension]) => [extension, type] as const), ...Object.entries(ALIASES)]);

/** The extension of a file name, or the usual one of its type. */
export function extensionOf(fileName: string | undefined, mimeType: string): string | undefined {
  return /\.([A-Za-z0-9]{1,10})$/.exec(fileName ?? '')?.[1] ?? EXTENSIONS[mimeType];
}

/** The media type that a file name suggests. */
export function mimeTypeOf(fileName: string | undefined): string | undefined {
  const extension = /\.([A-Za-z0-9]{1,10})$/.exec(fileName ?? '')?.[1]?.toLowerCase();
  return extension === undefined ? undefined : TYPES.get(extension);
}

/** The first bytes of files whose type can be told by them. */
const SIGNATURES: readonly (readonly [string, string])[] = [
  ['89504e470d0a1a0a', 'image/png'], ['ffd8ff', 'image/jpeg'], ['474946383761', 'image/gif'], ['474946383961', 'image/gif'],
  ['255044462d', 'application/pdf'], ['504b0304', 'application/zip'], ['1f8b', 'application/gzip'], ['494433', 'audio/mpeg'], ['4f676753', 'audio/ogg'],
];

/** The media type that the first bytes of a file tell. */
export function sniffMimeType(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('hex');
  return SIGNATURES.find(([signature]) => start.startsWith(signature))?.[1];
}
