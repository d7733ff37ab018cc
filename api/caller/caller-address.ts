import type { IncomingMessage } from 'node:http';

/**
 * The address a request came from. With `hops` proxies of our own in front, it is the one that the outermost of them added to
 * X-Forwarded-For: what stands further left was written by the caller and proves nothing.
 */
export function callerAddress(request: IncomingMessage, hops: number): string {
  const direct = request.socket.remoteAddress ?? '';
  if (hops === 0) return direct;
  const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',').map((part) => part.trim()).filter((part) => part !== '');
  return forwarded.at(-hops) ?? direct;
}
