import { step } from './progress.ts';
import { parseStartArguments } from './start-arguments.ts';
import { defaultTarget, openCluster } from './target.ts';

/** `npm run stop`: removes what `npm start` made. What was built stays in the cache. */

const { target = await defaultTarget() } = parseStartArguments(process.argv.slice(2));
const cluster = await openCluster(target, 'local');
await step('Removing the cluster', () => cluster.down());
