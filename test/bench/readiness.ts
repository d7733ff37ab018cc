import { installMillrace, createNamespace } from '../cluster/install.ts';
import { LocalCluster } from '../cluster/local-cluster.ts';
import { median, type Benchmark } from './benchmark.ts';

const NAMESPACE = 'bench';
const READY_MS = 2000;
const RUN_MS = 1500;

const workflow = (name: string): object => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: NAMESPACE },
  spec: {
    active: true,
    nodes: [
      { name: 'Hook', type: 'webhook', position: [0, 0], parameters: { httpMethod: 'POST', path: name, responseMode: 'lastNode' } },
      { name: 'Total', type: 'set', position: [200, 0], parameters: { assignments: { assignments: [{ id: 'a', name: 'n', type: 'number', value: '={{ 1 + 1 }}' }] } } },
    ],
    connections: [{ from: 'Hook', output: 0, to: 'Total', input: 0, type: 'main' }],
  },
});
const run = (name: string): object => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name, namespace: NAMESPACE }, spec: { workflowRef: { name } },
});

/** What a person at a terminal waits, both kubectl commands included, on a real cluster with the chart as it is installed. */
export const readiness: Benchmark = {
  name: 'readiness',
  about: 'kubectl apply → kubectl wait, of a Workflow until Ready and of a WorkflowRun until Complete, on a real cluster',
  async run({ runs, progress }) {
    const cluster = await LocalCluster.open('bench');
    try {
      progress('bringing up a cluster with Millrace in it');
      await cluster.up();
      await installMillrace(cluster);
      await createNamespace(cluster, NAMESPACE);
      const applied = async (object: object, condition: string, target: string): Promise<number> => {
        const start = performance.now();
        await cluster.apply(object);
        await cluster.kubectl('wait', '--namespace', NAMESPACE, `--for=condition=${condition}`, target, '--timeout=60s');
        return performance.now() - start;
      };
      const [ready, complete, commands]: [number[], number[], number[]] = [[], [], []];
      // The first of each pays for discovery caches and cold revisions; people do so once.
      for (let i = 0; i <= runs; i += 1) {
        const name = `w${i}`;
        const times = [await applied(workflow(name), 'Ready', `workflows.millrace.dev/${name}`), await applied(run(name), 'Complete', `workflowruns.millrace.dev/${name}`)] as const;
        const again = await applied(workflow(name), 'Ready', `workflows.millrace.dev/${name}`);
        progress(`run ${i}: Workflow Ready after ${times[0].toFixed(0)} ms, WorkflowRun Complete after ${times[1].toFixed(0)} ms, the commands alone ${again.toFixed(0)} ms`);
        if (i === 0) continue;
        ready.push(times[0]);
        complete.push(times[1]);
        commands.push(again);
      }
      const beside = { name: 'the two commands when nothing changes', value: median(commands) };
      return [
        { name: 'Workflow applied → Ready', value: median(ready), unit: 'ms', target: { atMost: READY_MS }, beside },
        { name: 'WorkflowRun applied → Complete', value: median(complete), unit: 'ms', target: { atMost: RUN_MS }, beside },
      ];
    } finally {
      progress('removing the cluster');
      await cluster.down();
    }
  },
};
