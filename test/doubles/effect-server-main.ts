/** The effect server in a pod. */
import process from 'node:process';
import { startEffectServer } from './effect-server.ts';

const server = await startEffectServer(8080, '0.0.0.0');
process.on('SIGTERM', () => void server.close());
