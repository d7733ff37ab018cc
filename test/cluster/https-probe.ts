import { readFile } from 'node:fs/promises';
import { request } from 'node:https';

import type { KeyPair } from './certificates.ts';

/** Whether a GET of `url` answers 200. False as well while nothing listens there. */
export async function answersOk(url: string, ca: string, client: KeyPair): Promise<boolean> {
  const [caPem, cert, key] = await Promise.all([ca, client.cert, client.key].map((path) => readFile(path)));
  return new Promise((resolve) => {
    const req = request(url, { ca: caPem, cert, key, agent: false, timeout: 2000 }, (response) => {
      response.resume();
      response.on('end', () => {
        resolve(response.statusCode === 200);
      });
    });
    req.on('timeout', () => req.destroy(new Error('timeout')));
    req.on('error', () => {
      resolve(false);
    });
    req.end();
  });
}
