import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { cacheDir } from '../cluster/cache-dir.ts';
import { run } from '../cluster/command.ts';
import { withFileLock } from '../cluster/file-lock.ts';
import { freePort } from '../cluster/free-port.ts';
import { eventually } from '../eventually.ts';

/** What to scrape: labels of the target and its port on loopback. */
export interface Target {
  labels: Readonly<Record<string, string>>;
  port: number;
}

/** One series of an answer: its labels and its value now. */
export interface Sample {
  metric: Readonly<Record<string, string>>;
  value: number;
}

export interface Prometheus {
  /** Asks for the present values. Throws with Prometheus' own words when the query is wrong. */
  query(expr: string): Promise<Sample[]>;
  /** Rules as it has loaded them: name and health, `ok` once evaluated without an error. */
  rules(): Promise<{ name: string; health: string; lastError?: string }[]>;
  stop(): Promise<void>;
}

/** Folder of Debian's `prometheus` and `promtool`, fetched as a package and unpacked, not installed. */
export async function prometheusBinaries(): Promise<string> {
  const folder = cacheDir('debian', 'prometheus');
  const bin = join(folder, 'usr/bin');
  if (existsSync(bin)) return bin;
  return withFileLock(`${folder}.lock`, async () => {
    if (existsSync(bin)) return bin;
    const temporary = `${folder}.${process.pid}`;
    await mkdir(temporary, { recursive: true });
    try {
      await run('apt-get', ['download', '-q', 'prometheus'], { cwd: temporary }).catch(async () => {
        await run('apt-get', ['update', '-q']);
        await run('apt-get', ['download', '-q', 'prometheus'], { cwd: temporary });
      });
      const [archive = ''] = (await readdir(temporary)).filter((name) => name.endsWith('.deb'));
      await run('dpkg', ['-x', join(temporary, archive), join(temporary, 'root')]);
      await rename(join(temporary, 'root'), folder);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    return bin;
  });
}

/** A real Prometheus on loopback that scrapes every second; dead at the latest when this process is. */
export async function startPrometheus(targets: readonly Target[], options: { rules: readonly string[] }): Promise<Prometheus> {
  const bin = await prometheusBinaries();
  const directory = await mkdtemp(join(tmpdir(), 'millrace-prometheus-'));
  const port = await freePort();
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: options.rules,
    scrape_configs: [{ job_name: 'millrace', static_configs: targets.map((target) => ({ targets: [`127.0.0.1:${target.port}`], labels: target.labels })) }],
  };
  await writeFile(join(directory, 'prometheus.yaml'), stringify(config));
  const child = spawn('setpriv', [
    '--pdeathsig=KILL', '--', join(bin, 'prometheus'), `--config.file=${join(directory, 'prometheus.yaml')}`, `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`, '--log.level=error',
  ], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');

  async function ask(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== 'success') throw new Error(answer.error ?? `Prometheus answered ${response.status}`);
    return answer.data;
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error('Prometheus ended');
      if (!(await fetch(`http://127.0.0.1:${port}/-/ready`)).ok) throw new Error('Prometheus is not ready');
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stop,
    async query(expr) {
      const { result } = (await ask(`/api/v1/query?query=${encodeURIComponent(expr)}`)) as { result: { metric: Sample['metric']; value: [number, string] }[] };
      return result.map(({ metric, value: [, text] }) => ({ metric, value: Number(text) }));
    },
    async rules() {
      const { groups } = (await ask('/api/v1/rules')) as { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
      return groups.flatMap(({ rules }) => rules);
    },
  };
}
