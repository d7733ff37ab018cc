import process from 'node:process';
import { isSandboxed } from './current-view.ts';

/**
 * A promise that sandboxed code rejects and forgets would end the process, and with it the executions of others. Such
 * rejections are dropped; all others go the way Node would send them.
 */
export function catchStrayRejections(): void {
  process.on('unhandledRejection', (reason) => {
    if (isSandboxed() || process.listenerCount('unhandledRejection') > 1) return;
    setImmediate(() => {
      throw reason;
    });
  });
}
