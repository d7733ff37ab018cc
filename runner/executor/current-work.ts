import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';

/** The execution and node that an executor is working on, kept where the supervisor can read it when the executor cannot answer. */
export interface CurrentWork {
  executionId: string;
  node: string;
}

/** Fixed record length, so that a shorter record leaves nothing of a longer one behind. */
const RECORD_BYTES = 512;
const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);

/** Writes the current work through an inherited file descriptor. A write costs about a microsecond, and only changes are written. */
export function currentWorkWriter(fd: number): (work: CurrentWork) => void {
  const record = Buffer.alloc(RECORD_BYTES);
  let last: CurrentWork | undefined;
  return (work) => {
    if (last?.executionId === work.executionId && last.node === work.node) return;
    last = work;
    record.fill(0);
    record.write(`${work.executionId}\n${work.node}`, 'utf8');
    try {
      writeSync(fd, record, 0, RECORD_BYTES, 0);
    } catch (error) {
      // Some file systems want room even for what is written over. The execution can do without the note.
      if (!isNoRoom(error)) throw error;
    }
  };
}

/** Where an executor's current work is kept, for as long as the executor lives. */
export interface WorkNote {
  /** For the executor to inherit; undefined when the disk has no room for it: then nobody learns on what it worked. */
  fd: number | undefined;
  /** What the executor last wrote; undefined when that is nothing. */
  read(): CurrentWork | undefined;
  close(): void;
}

/**
 * Makes a file that is as large from the start as it ever gets, so that an executor can write to it on a full disk, and that has no name any more, so that
 * nothing is left behind. Throws what the file system says, but for a lack of room.
 */
export function openWorkNote(file: string): WorkNote {
  const fd = openWhole(file);
  return {
    fd,
    read: () => (fd === undefined ? undefined : readCurrentWork(fd)),
    close: () => { if (fd !== undefined) closeSync(fd); },
  };
}

function openWhole(file: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'w+', 0o600);
    writeSync(fd, Buffer.alloc(RECORD_BYTES));
    return fd;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (!isNoRoom(error)) throw error;
    return undefined;
  } finally {
    rmSync(file, { force: true });
  }
}

function isNoRoom(error: unknown): boolean {
  return NO_ROOM.has((error as NodeJS.ErrnoException).code);
}

function readCurrentWork(fd: number): CurrentWork | undefined {
  const record = Buffer.alloc(RECORD_BYTES);
  const text = record.toString('utf8', 0, readSync(fd, record, 0, RECORD_BYTES, 0));
  const end = text.indexOf('\0');
  const [executionId = '', node = ''] = (end === -1 ? text : text.slice(0, end)).split('\n');
  return executionId === '' ? undefined : { executionId, node };
}
