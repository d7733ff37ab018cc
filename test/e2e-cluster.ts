/** The name of the cluster that end-to-end tests run in; `LocalCluster.open` takes it up in any process. */
export const E2E_CLUSTER = 'e2e';
