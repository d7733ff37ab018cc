import type { JsonObject } from '../engine/item.ts';

export interface PdfOptions {
  /** Empty for none. */
  password: string;
  /** Pages whose text is wanted, from the first. Absent: all. */
  maxPages?: number;
}

export interface PdfContent {
  pageCount: number;
  /** Text by page. */
  pages: string[];
  info: JsonObject;
  metadata: JsonObject;
}

/** What the reading process answers, as one JSON text. */
export type PdfAnswer = { content: PdfContent } | { error: string };
