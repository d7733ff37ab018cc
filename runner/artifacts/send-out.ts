import { spawn } from 'node:child_process';
import { constants, createReadStream } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ApiClient } from './api-client.ts';
import { TransferError } from './failure.ts';
import type { Outgoing, TransferFailure, TransferPlan } from './plan.ts';

const MAX_SHOWN = 300;

/**
 * Hands out what the command has written, or says why it cannot: whether that matters is for others to decide, who know how the command ended.
 * Throws TransferError when neither succeeds.
 */
export async function sendOut({ out, maxBytes }: Pick<TransferPlan, 'out' | 'maxBytes'>, api: ApiClient): Promise<void> {
  for (const [index, file] of out.entries()) {
    try {
      const body = await bodyOf(file, maxBytes);
      await api.send('PUT', `/outputs/${index}`, body);
    } catch (error) {
      if (!(error instanceof TransferError) || error.code === 'ArtifactNotTransferred') throw error;
      const failure: TransferFailure = { code: error.code, message: error.message };
      await api.send('POST', `/outputs/${index}`, () => Readable.from([JSON.stringify(failure)]));
    }
  }
}

async function bodyOf(file: Outgoing, maxBytes: number): Promise<() => Readable> {
  const { at, pack } = file;
  const path = await existing(file);
  const found = await stat(path);
  if (pack) {
    if (!found.isDirectory()) throw new TransferError('ArtifactInvalid', `${at} is no directory: leave pack out`);
    return () => packed(path, { at, maxBytes });
  }
  if (!found.isFile()) throw new TransferError('ArtifactInvalid', `${at} is ${found.isDirectory() ? 'a directory: set pack' : 'no file'}`);
  if (found.size > maxBytes) throw tooLarge(at, maxBytes);
  // What is written meanwhile is not sent.
  return () => (found.size === 0 ? Readable.from([]) : createReadStream(path, { end: found.size - 1 }));
}

/** The path behind all links. Throws TransferError ArtifactMissing, and ArtifactInvalid for one that is not in the volume. */
async function existing({ root, path, at }: Outgoing): Promise<string> {
  try {
    const [top, whole] = await Promise.all([realpath(root), realpath(join(root, path))]);
    if (whole === top || whole.startsWith(`${top}/`)) {
      await access(whole, constants.R_OK);
      return whole;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new TransferError('ArtifactMissing', `The command has written nothing to ${at}: correct the path, or set optional`);
    throw new TransferError('ArtifactInvalid', `${at} cannot be read: ${message}`);
  }
  throw new TransferError('ArtifactInvalid', `${at} is a symbolic link that leads out of its volume`);
}

/** Fails when the archive is not whole. */
function packed(path: string, { at, maxBytes }: { at: string; maxBytes: number }): Readable {
  const tar = spawn('tar', ['-czf', '-', '-C', path, '.'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const complaint = text(tar.stderr);
  let size = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      done(size > maxBytes ? tooLarge(at, maxBytes) : null, chunk);
    },
  });
  tar.stdout.pipe(body, { end: false });
  tar.once('error', (error) => body.destroy(error)).once('close', (code) => {
    if (code === 0) body.end();
    else void complaint.then((words) => body.destroy(new TransferError('ArtifactInvalid', `${at} cannot be packed: ${words.trim().slice(0, MAX_SHOWN)}`)));
  });
  return body.once('close', () => tar.kill());
}

function tooLarge(at: string, maxBytes: number): TransferError {
  return new TransferError('ArtifactTooLarge', `${at} is over the limit of ${maxBytes} bytes: have less written, or have containers.artifacts.maxBytes raised`);
}
