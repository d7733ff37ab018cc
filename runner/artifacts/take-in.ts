import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ApiClient } from './api-client.ts';
import { TransferError } from './failure.ts';
import { placeFor } from './place.ts';
import type { Incoming } from './plan.ts';

const MAX_SHOWN = 300;

/** Puts the files where the main container finds them. Throws TransferError. */
export async function takeIn(files: readonly Incoming[], api: ApiClient): Promise<void> {
  for (const [index, file] of files.entries()) {
    await api.get(`/inputs/${index}`, async (answer) => (file.unpack ? unpack(answer, file) : write(answer, file)));
  }
}

async function write(answer: IncomingMessage, file: Incoming): Promise<void> {
  const path = await prepared(file, async (where) => rm(where, { force: true }));
  const check = digestCheck(file);
  await pipeline(answer, check, createWriteStream(path, { flags: 'wx' }));
  // Not by the stream: a umask would take from it.
  await chmod(path, file.mode);
}

/** Archives are unpacked as they come: they need no room besides. */
async function unpack(answer: IncomingMessage, file: Incoming): Promise<void> {
  const path = await prepared(file, async (where) => mkdir(where, { recursive: true }));
  const tar = spawn('tar', ['-xzf', '-', '-C', path, '--no-same-owner'], { stdio: ['pipe', 'ignore', 'pipe'] });
  const [sent, complaint, ended] = await Promise.allSettled([pipeline(answer, digestCheck(file), tar.stdin), text(tar.stderr), once(tar, 'close')]);
  if (ended.status === 'rejected') throw ended.reason;
  if (sent.status === 'rejected' && (tar.exitCode === 0 || !hasStoppedReading(sent.reason))) throw sent.reason;
  if (tar.exitCode !== 0) {
    const why = complaint.status === 'fulfilled' ? complaint.value.trim().slice(0, MAX_SHOWN) : '';
    throw new TransferError('ArtifactInvalid', `The file for ${file.at} cannot be unpacked, it has to be a tar.gz: ${why}`);
  }
}

/** What stands in the way in the volume stays there, whatever is tried again. */
async function prepared(file: Incoming, prepare: (path: string) => Promise<unknown>): Promise<string> {
  try {
    const path = await placeFor(file);
    await prepare(path);
    return path;
  } catch (error) {
    throw new TransferError('ArtifactInvalid', `Nothing can be put at ${file.at}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Passes bytes on and fails at the end when they are others than expected. */
function digestCheck({ at, sha256 }: Incoming): Transform {
  const digest = createHash('sha256');
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      digest.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const isRight = sha256 === undefined || digest.digest('hex') === sha256;
      done(isRight ? null : new Error(`the bytes for ${at} do not match their digest`));
    },
  });
}

/** Whether it was the reader of a pipe that ended it. */
function hasStoppedReading(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === 'write' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
