import { run, succeeds } from './command.ts';
import { step } from './progress.ts';

/** What a node and the builds of its images need beyond a minimal Debian. */
export const NODE_PACKAGES = [
  'buildah',
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'debootstrap',
  'iproute2',
  'iptables',
  'openssl',
  'runc',
  'socat',
] as const;

/** Installs the Debian packages that are missing. */
export async function installPackages(names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  await step(`Installing Debian packages ${missing.join(', ')}`, async () => {
    await run('apt-get', ['update', '-q']);
    await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
  });
}

async function isInstalled(name: string): Promise<boolean> {
  if (!(await succeeds('dpkg-query', ['--show', name]))) return false;
  return (await run('dpkg-query', ['--show', '--showformat=${db:Status-Status}', name])) === 'installed';
}
