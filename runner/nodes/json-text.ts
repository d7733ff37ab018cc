import { jsonrepair } from 'jsonrepair';

/** Parsed JSON, or undefined when the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** JSON that expressions were spliced into: small damage (trailing commas, missing brackets, single quotes) is mended. */
export function parseLooseJson(text: string): unknown {
  const exact = parseJson(text);
  if (exact !== undefined) return exact;
  try {
    return JSON.parse(jsonrepair(text)) as unknown;
  } catch {
    return undefined;
  }
}
