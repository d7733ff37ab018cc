import { readFileSync, writeSync } from 'node:fs';

/** The execution and node that an executor is working on, kept where the supervisor can read it when the executor cannot answer. */
export interface CurrentWork {
  executionId: string;
  node: string;
}

/** Fixed record length, so that a shorter record leaves nothing of a longer one behind. */
const RECORD_BYTES = 512;

/** Writes the current work through an inherited file descriptor. A write costs about a microsecond, and only changes are written. */
export function currentWorkWriter(fd: number): (work: CurrentWork) => void {
  const record = Buffer.alloc(RECORD_BYTES);
  let last: CurrentWork | undefined;
  return (work) => {
    if (last?.executionId === work.executionId && last.node === work.node) return;
    last = work;
    record.fill(0);
    record.write(`${work.executionId}\n${work.node}`, 'utf8');
    writeSync(fd, record, 0, RECORD_BYTES, 0);
  };
}

/** Reads what a writer last wrote; undefined when nothing was written yet. */
export function readCurrentWork(file: string): CurrentWork | undefined {
  const text = readFileSync(file, 'utf8');
  const end = text.indexOf('\0');
  const [executionId = '', node = ''] = (end === -1 ? text : text.slice(0, end)).split('\n');
  return executionId === '' ? undefined : { executionId, node };
}
