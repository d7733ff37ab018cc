import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { run, type CommandOptions } from '../command.ts';
import { createCgroup, removeCgroup } from './cgroups.ts';
import type { MachineNetwork } from './network.ts';
import { childrenOf, processesBeside, startTime, type ProcessEntry } from './process-table.ts';

export interface MachineSpec {
  readonly name: string;
  /** Where its state is kept while it is off. */
  readonly dir: string;
  /** Its link's name is also that of the cgroup below which its pods run: both are unique on the host. */
  readonly network: MachineNetwork;
}

/** A server on the machine; `command` identifies it among the machine's processes. */
export interface ServiceSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Configuration to write before it starts: texts by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * A machine made of namespaces: its own processes, mounts, network and cgroup on the host's kernel and files. Killing
 * its first process takes all of it away at once, like pulling a plug, so nothing of a cluster is left on the host.
 * The state is in the kernel and in `dir`: any process can take up a machine that another one booted.
 */
export class Machine {
  readonly spec: MachineSpec;

  constructor(spec: MachineSpec) {
    this.spec = spec;
  }

  /** Starts it unless it is up. Its processes outlive the caller. */
  async boot(): Promise<void> {
    const { name, dir, network } = this.spec;
    if ((await this.firstPid()) !== undefined) {
      if (await this.isConnected()) return;
      // Whoever booted it was stopped in the middle.
      await this.halt();
    }
    await mkdir(join(dir, 'log'), { recursive: true });
    await rm(join(dir, 'booted'), { force: true });
    await removeCgroup(network.link);
    await createCgroup(network.link);
    const init = join(import.meta.dirname, 'machine-init.sh');
    const namespaces = ['--mount', '--net', '--pid', '--fork', '--mount-proc'];
    const unshare = await this.spawnDetached('machine', 'unshare', [...namespaces, '--', 'bash', init, dir]);
    await waitFor(() => existsSync(join(dir, 'booted')), `machine ${name} to boot; see ${this.logFile('machine')}`);
    const [pid] = await childrenOf(unshare);
    if (pid === undefined) throw new Error(`Machine ${name} ended while booting; see ${this.logFile('machine')}`);
    await writeFile(join(dir, 'first-process'), `${String(pid)} ${(await startTime(pid)) ?? ''}\n`);
    await this.connect(pid);
  }

  /** Joins the machine's network to the host's. Nothing beyond the host can be reached from it: it is air-gapped. */
  private async connect(pid: number): Promise<void> {
    const { link, hostAddress, address, podRange, serviceRange } = this.spec.network;
    await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)]);
    await run('ip', ['address', 'add', `${hostAddress}/30`, 'dev', link]);
    await run('ip', ['link', 'set', link, 'up']);
    const commands = [
      'ip link set lo up',
      `ip address add ${address}/30 dev eth0`,
      'ip link set eth0 up',
      `ip route add default via ${hostAddress}`,
      'echo 1 > /proc/sys/net/ipv4/ip_forward',
    ];
    await this.run('sh', ['-ec', commands.join('\n')]);
    for (const range of [podRange, serviceRange]) await run('ip', ['route', 'add', range, 'via', address, 'dev', link]);
  }

  /** The routes on the host are the last thing that `connect` makes. */
  private async isConnected(): Promise<boolean> {
    return (await run('ip', ['route', 'show', this.spec.network.serviceRange])).trim() !== '';
  }

  /** The host's id of the machine's first process, or undefined when the machine is off. */
  async firstPid(): Promise<number | undefined> {
    const text = await readFile(join(this.spec.dir, 'first-process'), 'utf8').catch(() => '');
    const [pid, started] = text.trim().split(' ');
    if (pid === undefined || started === undefined) return undefined;
    return (await startTime(Number(pid))) === started ? Number(pid) : undefined;
  }

  /** Runs a command on the machine and returns what it printed. */
  async run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return run('nsenter', await this.enter(command, args), options);
  }

  /** Starts a server unless it runs already, and tells whether it did. Its output goes to `logFile(name)`. */
  async start({ name, command, args, files = {} }: ServiceSpec): Promise<boolean> {
    if ((await this.find(command)) !== undefined) return false;
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    await this.spawnDetached(name, 'nsenter', await this.enter(command, args));
    return true;
  }

  /** The process that runs `command`, outside of pods, if one does. Its id is the host's. */
  async find(command: string): Promise<ProcessEntry | undefined> {
    const pid = await this.firstPid();
    return pid === undefined ? undefined : (await processesBeside(pid)).find(({ argv }) => argv[0] === command);
  }

  logFile(service: string): string {
    return join(this.spec.dir, 'log', `${service}.log`);
  }

  /** Kills every process with SIGKILL and waits until none is left. `dir` stays. */
  async halt(): Promise<void> {
    const pid = await this.firstPid();
    if (pid !== undefined) {
      process.kill(pid, 'SIGKILL');
      await waitFor(async () => (await startTime(pid)) === undefined, `machine ${this.spec.name} to end`);
    }
    await removeCgroup(this.spec.network.link);
  }

  private async enter(command: string, args: readonly string[]): Promise<string[]> {
    const pid = await this.firstPid();
    if (pid === undefined) throw new Error(`Machine ${this.spec.name} is not running`);
    const environment = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'];
    return ['--target', String(pid), '--mount', '--net', '--pid', '--', ...environment, command, ...args];
  }

  private async spawnDetached(name: string, command: string, args: readonly string[]): Promise<number> {
    const log = await open(this.logFile(name), 'a');
    try {
      const child = spawn(command, args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
      await once(child, 'spawn');
      child.unref();
      if (child.pid === undefined) throw new Error(`${name} has no process id`);
      return child.pid;
    } finally {
      await log.close();
    }
  }
}

async function waitFor(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited 30 s for ${what}`);
    await sleep(20);
  }
}
