/** Entry of the Job that runs after `helm uninstall` has removed the operator. */
import process from 'node:process';
import { pino } from 'pino';
import * as z from 'zod';
import { connect } from './kube/index.ts';
import { releaseWorkflows } from './release-workflows.ts';

const env = z.object({ POD_NAMESPACE: z.string().min(1), MILLRACE_INSTANCE: z.string().min(1), MILLRACE_WATCH_NAMESPACES: z.string().default('') }).parse(process.env);
const log = pino({ base: { role: 'uninstall' } });
const cluster = await connect();
try {
  const namespaces = env.MILLRACE_WATCH_NAMESPACES.split(',').filter((name) => name !== '');
  await releaseWorkflows({ cluster, log, namespaces, home: env.POD_NAMESPACE, instance: env.MILLRACE_INSTANCE });
} finally {
  await cluster.close();
}
