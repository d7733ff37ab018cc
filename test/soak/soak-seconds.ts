import { full } from '../full.ts';

/** How long each soak runs. */
export const SOAK_SECONDS = Number(process.env['MILLRACE_SOAK_SECONDS'] ?? (full ? 1800 : 300));
