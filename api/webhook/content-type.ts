/** How a body is taken: as `$json.body`, as a form with files, or as one file. */
export type ContentKind = 'json' | 'urlencoded' | 'text' | 'multipart' | 'file';

/** Lower-case type without parameters; text/plain when there is none, as curl-less clients send. */
export function mediaType(contentType: string | undefined): string {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type === '' ? 'text/plain' : type;
}

/** What a body of this media type is. */
export function contentKind(type: string): ContentKind {
  if (type === 'application/json' || type.endsWith('+json')) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'urlencoded';
  if (type === 'multipart/form-data') return 'multipart';
  return isText(type) ? 'text' : 'file';
}

function isText(type: string): boolean {
  return type.startsWith('text/') || type === 'application/xml' || type.endsWith('+xml') || type === 'application/javascript';
}
