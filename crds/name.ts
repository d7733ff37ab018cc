import * as z from 'zod';

/** A DNS label: names of namespaces, RunnerPools and Folders. */
export const dnsLabel = z.string().min(1).max(63).regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

/** A DNS subdomain: names of most Kubernetes objects. */
export const objectName = z.string().min(1).max(253).regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** Name of a node in a workflow: free text, as people write it on the canvas. */
export const nodeName = z.string().min(1).max(128);

/** Content hash of a stored revision: lower-case hexadecimal SHA-256. */
export const revisionHash = z.string().max(64).regex(/^[0-9a-f]{64}$/);
