import { readFile, readdir } from 'node:fs/promises';

/** Linux counts CPU time in hundredths of a second. */
const msPerTick = 10;

/** CPU milliseconds used so far by a process and all processes below it that live. Tells cost apart from a busy machine's delays. */
export async function cpuTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in parentheses, which may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = (Number(fields[11]) + Number(fields[12])) * msPerTick;
  const below = await Promise.all((await childrenOf(pid)).map((child) => cpuTime(child)));
  return below.reduce((sum, each) => sum + each, own);
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')));
  return lists.join(' ').split(' ').filter((text) => text !== '').map(Number);
}
