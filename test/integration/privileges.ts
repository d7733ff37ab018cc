import { execFileSync } from 'node:child_process';

/**
 * Why this process cannot make namespaces of its own with the given flags of unshare(1), or undefined when it can. Tests that need them are skipped
 * with this reason; they touch nothing outside their namespaces.
 */
export function whyNoNamespaces(...flags: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to make namespaces of its own';
  try {
    execFileSync('unshare', [...flags, '--', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `needs namespaces: ${error instanceof Error ? error.message : String(error)}`;
  }
}
