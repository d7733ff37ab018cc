/** Label of the namespaces that the project's commands make. In a cluster of somebody else they touch no other. */
export const MADE_HERE = { label: 'millrace.dev/made-by', value: 'npm-start' } as const;
