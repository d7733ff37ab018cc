import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { WorkflowError } from '../engine/error.ts';
import { residentBytes } from '../supervisor/process-usage.ts';
import type { PdfAnswer, PdfContent, PdfOptions } from './pdf-content.ts';

export interface PdfLimits {
  /** From the start of the process to its answer. */
  ms: number;
  /** Resident memory of the process. */
  memoryBytes: number;
  /** Length of the text and properties. */
  answerBytes: number;
  /** Documents that are read at a time; others wait. */
  concurrency: number;
}

const MIB = 2 ** 20;
const DEFAULTS: PdfLimits = { ms: 30_000, memoryBytes: 256 * MIB, answerBytes: 32 * MIB, concurrency: 1 };
const HEAP_SHARE = 0.6;
const WATCH_MS = 50;
const ENTRY = join(import.meta.dirname, 'reader-main.ts');
const SOURCE_ROOT = join(import.meta.dirname, '../..');

type Child = ChildProcessByStdio<Writable, Readable, null>;

/**
 * Reads PDFs, each in a process of its own that has no environment, no credentials, no file to write and nothing to read but the program,
 * and that is killed when it is over its limits or has answered.
 */
export class PdfReader {
  readonly #limits: PdfLimits;
  readonly #waiting: (() => void)[] = [];
  readonly #children = new Set<Child>();
  #active = 0;

  constructor(limits: Partial<PdfLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** Throws WorkflowError InvalidFile for what is no readable PDF, and PdfLimitExceeded. */
  async read(bytes: Uint8Array, options: PdfOptions): Promise<PdfContent> {
    await this.#admit();
    try {
      return contentOf(await this.#run(bytes, options));
    } finally {
      this.#leave();
    }
  }

  /** Kills what is being read. */
  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async #run(bytes: Uint8Array, options: PdfOptions): Promise<string> {
    const child = start(this.#limits);
    this.#children.add(child);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const end = (error: WorkflowError): void => {
      reject(error);
      child.kill('SIGKILL');
    };
    const deadline = setTimeout(() => end(limitExceeded(`longer than ${this.#limits.ms / 1000} s`)), this.#limits.ms);
    const watch = setInterval(() => {
      if (residentBytes(child.pid) > this.#limits.memoryBytes) end(limitExceeded(`more than ${this.#limits.memoryBytes / MIB} MiB of memory`));
    }, WATCH_MS);
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > this.#limits.answerBytes) end(limitExceeded(`more than ${this.#limits.answerBytes / MIB} MiB of text`));
    });
    child.on('error', (cause) => end(unreadable('its reader did not start', cause)));
    // A heap that is full ends the process by itself.
    child.on('close', (code) => (code === 0 ? resolve(Buffer.concat(chunks).toString('utf8')) : end(limitExceeded('more memory than there is for it'))));
    // A process that is gone is noticed by `close`.
    child.stdin.on('error', () => undefined);
    child.stdin.write(`${JSON.stringify(options)}\n`);
    child.stdin.end(bytes);
    try {
      return await promise;
    } finally {
      clearTimeout(deadline);
      clearInterval(watch);
      child.kill('SIGKILL');
      this.#children.delete(child);
    }
  }

  async #admit(): Promise<void> {
    if (this.#active < this.#limits.concurrency) this.#active += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Whoever waited takes the place of the one that leaves. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#active -= 1;
  }
}

function start({ memoryBytes }: PdfLimits): Child {
  const heap = `--max-old-space-size=${Math.ceil((memoryBytes * HEAP_SHARE) / MIB)}`;
  return spawn(process.execPath, [heap, '--permission', `--allow-fs-read=${SOURCE_ROOT}`, '--disable-warning=SecurityWarning', ENTRY], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
}

/** The answer comes from a process that read a stranger's file. */
function contentOf(text: string): PdfContent {
  const answer = JSON.parse(text) as PdfAnswer;
  if ('error' in answer) throw unreadable(answer.error);
  return answer.content;
}

function unreadable(why: string, cause?: unknown): WorkflowError {
  return new WorkflowError('InvalidFile', `The PDF could not be read: ${why}. It may be damaged, or need another password.`, { nonRetryable: true, cause });
}

function limitExceeded(what: string): WorkflowError {
  return new WorkflowError('PdfLimitExceeded', `Reading the PDF took ${what}. Split the document, or have another service extract the text.`, { nonRetryable: true });
}
