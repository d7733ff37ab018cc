import { ApiError } from '../problem.ts';

/**
 * Webhook paths as n8n writes them: segments split by `/`, a segment that starts with `:` matches any one segment and names
 * it. Paths are compared exactly (case matters); leading, trailing and doubled slashes do not count.
 */
export interface PathPattern {
  readonly segments: readonly string[];
  /** Number of segments that are not parameters: of two patterns that match, the one with more is meant. */
  readonly literals: number;
}

/** The segments of a path, without empty ones. */
export function splitPath(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

export function parsePattern(path: string): PathPattern {
  const segments = splitPath(path);
  return { segments, literals: segments.filter((segment) => !isParameter(segment)).length };
}

export function isParameter(segment: string): boolean {
  return segment.length > 1 && segment.startsWith(':');
}

/** The path parameters, or undefined when the segments do not match. */
export function matchPattern(pattern: PathPattern, segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.segments.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.segments.entries()) {
    const actual = segments[index] ?? '';
    if (isParameter(expected)) params[expected.slice(1)] = actual;
    else if (expected !== actual) return undefined;
  }
  return params;
}

/** Decoded segments behind a prefix, and the query, of a request's URL. Throws ApiError MalformedRequest. */
export function splitTarget(url: string, prefix: string): { segments: string[]; search: string } {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  try {
    return { segments: splitPath(path.slice(prefix.length)).map(decodeURIComponent), search: query === -1 ? '' : url.slice(query + 1) };
  } catch (error) {
    throw new ApiError('MalformedRequest', 'The path is not valid percent-encoding.', { cause: error });
  }
}
