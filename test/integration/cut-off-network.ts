import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { until } from '../eventually.ts';

const exec = promisify(execFile);

/** Which packets get lost: those to a port of this side, those from it, or both ways. */
export type Lost = 'requests' | 'answers' | 'both';

/** A network namespace with one link to this one, which can be cut. It and the link are gone with `close`, or with this process. */
export interface CutOffNetwork {
  /** This side's address, for servers. */
  readonly host: string;
  /** The other side's. */
  readonly address: string;
  /** Becomes the command that follows, in the namespace. */
  readonly enter: readonly string[];
  /** From now on packets of TCP connections to a port of this side get lost without a word. */
  cut(port: number, lost: Lost): Promise<void>;
  heal(): Promise<void>;
  close(): Promise<void>;
}

const OUT = ['OUTPUT', '--dport'] as const;
const IN = ['INPUT', '--sport'] as const;
const RULES: Readonly<Record<Lost, readonly (readonly [string, string])[]>> = { requests: [OUT], answers: [IN], both: [OUT, IN] };

/** Needs root. */
export async function startCutOffNetwork(): Promise<CutOffNetwork> {
  const net = `10.${200 + (process.pid % 10)}.${process.pid % 250}`;
  const [host, address] = [`${net}.1`, `${net}.2`];
  const link = `cut${process.pid}`;
  const holder = spawn('setpriv', ['--pdeathsig=KILL', '--', 'unshare', '--net', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
  const pid = String(holder.pid);
  const enter = ['nsenter', `--net=/proc/${pid}/ns/net`, '--'];
  const inside = async (...command: string[]): Promise<void> => {
    await exec('nsenter', [...enter.slice(1), ...command]);
  };
  await until(async () => (await exec('readlink', [`/proc/${pid}/ns/net`])).stdout !== (await exec('readlink', ['/proc/self/ns/net'])).stdout);
  await exec('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid]);
  await exec('ip', ['address', 'add', `${host}/30`, 'dev', link]);
  await exec('ip', ['link', 'set', link, 'up']);
  await inside('sh', '-ec', `ip link set lo up; ip address add ${address}/30 dev eth0; ip link set eth0 up`);
  return {
    host, address, enter,
    async cut(port, lost) {
      for (const [chain, side] of RULES[lost]) await inside('iptables', '-A', chain, '-p', 'tcp', side, String(port), '-j', 'DROP');
    },
    heal: () => inside('iptables', '-F'),
    async close() {
      holder.kill('SIGKILL');
      if (holder.exitCode === null && holder.signalCode === null) await once(holder, 'exit');
    },
  };
}
