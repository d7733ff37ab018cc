import { readFile } from 'node:fs/promises';
import { request as plain } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as secure } from 'node:https';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { TransferError } from './failure.ts';
import type { TransferPlan } from './plan.ts';

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5000;
/** Of a connection on which nothing moves. */
const IDLE_MS = 30_000;
const MAX_SHOWN = 300;

/** Asks the api that keeps the files, again and again while it, or the way to it, fails. */
export class ApiClient {
  readonly #plan: Pick<TransferPlan, 'url' | 'tokenFile' | 'patienceMs'>;
  readonly #say: (line: string) => void;

  /** `say`: a line for the container's log. */
  constructor(plan: Pick<TransferPlan, 'url' | 'tokenFile' | 'patienceMs'>, say: (line: string) => void) {
    this.#plan = plan;
    this.#say = say;
  }

  /** Hands a good answer to `take`, which may be called again with another one. Throws TransferError. */
  get<T>(path: string, take: (answer: IncomingMessage) => Promise<T>): Promise<T> {
    return this.#persist(path, async () => take(await this.#once({ method: 'GET', path })));
  }

  /** `body` is asked for what to send in every attempt. Throws TransferError, its own too. */
  async send(method: 'PUT' | 'POST', path: string, body: () => Readable): Promise<void> {
    await this.#persist(path, async () => text(await this.#once({ method, path, body })));
  }

  async #persist<T>(path: string, attempt: () => Promise<T>): Promise<T> {
    const { url, patienceMs } = this.#plan;
    const end = performance.now() + patienceMs;
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, MAX_PAUSE_MS)) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof TransferError) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        if (performance.now() + wait > end) throw new TransferError('ArtifactNotTransferred', `${url} does not answer: ${reason}`);
        this.#say(`${url}${path}: ${reason}; trying again`);
        await pause(wait * (0.5 + Math.random() / 2));
      }
    }
  }

  async #once({ method, path, body }: { method: string; path: string; body?: () => Readable }): Promise<IncomingMessage> {
    const { url, tokenFile } = this.#plan;
    // The kubelet renews it.
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const send = url.startsWith('https:') ? secure : plain;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = send(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}` } }, resolve);
      request.once('error', reject).setTimeout(IDLE_MS, () => request.destroy(new Error(`nothing moved for ${IDLE_MS / 1000} s`)));
      if (!body) request.end();
      // What fails here fails the request; an answer may come before everything is sent.
      else pipeline(body(), request).catch(reject);
    });
    if (answer.statusCode === 200) return answer;
    throw refusal(answer.statusCode ?? 0, (await text(answer)).slice(0, MAX_SHOWN));
  }
}

/** What an answer other than a good one means: an Error is worth another try. */
function refusal(status: number, body: string): Error {
  if (status === 404) return new TransferError('BinaryNotFound', `The file is not kept any more: ${body}`);
  if (status === 403) return new TransferError('ArtifactNotTransferred', `The files are not for this pod: ${body}`);
  if (status === 413) return new TransferError('ArtifactTooLarge', `The file is too large: ${body}`);
  return new Error(`HTTP ${status} ${body}`);
}
