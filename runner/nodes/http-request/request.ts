import type { JsonObject } from '../../engine/item.ts';

/** A request as the node describes it, before it is put on the wire. */
export interface HttpRequest {
  method: string;
  url: string;
  query: JsonObject;
  /** Names in lower case. */
  headers: Record<string, string>;
  body?: RequestBody;
}

/** Bodies stay data until they are sent: pagination and credentials may add to them. */
export type RequestBody =
  | { kind: 'json'; value: unknown }
  | { kind: 'form'; fields: JsonObject }
  | { kind: 'multipart'; parts: readonly MultipartPart[] }
  | { kind: 'bytes'; bytes: Uint8Array | string; contentType: string };

export type MultipartPart = { name: string; text: string } | { name: string; bytes: Uint8Array; fileName: string; contentType: string };

/** `l=[x, y]` as l[]=x&l[]=y, l[0]=x&l[1]=y or l=x&l=y. */
export type ArrayFormat = 'brackets' | 'indices' | 'repeat';

export const arrayFormat = (value: unknown): ArrayFormat => (value === 'indices' || value === 'repeat' ? value : 'brackets');
