import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { credentialTypeLabel } from '../runner/engine/credential.ts';
import { CliError } from './cli-error.ts';
import type { Terminal } from './terminal.ts';

const texts = z.record(z.string(), z.string());
const Secret = z.looseObject({
  kind: z.literal('Secret'),
  metadata: z.looseObject({ name: z.string().min(1), labels: z.looseObject({ [credentialTypeLabel]: z.string().min(1) }) }),
  data: texts.optional(),
  stringData: texts.optional(),
});

/**
 * The credentials in a file of Secret manifests (YAML or JSON), by type and Secret, as a local host takes them. Throws CliError
 * InvalidManifest; its message never shows what a Secret holds.
 */
export async function readCredentials(path: string, terminal: Terminal): Promise<Record<string, Record<string, string>>> {
  const documents = parseAllDocuments(await terminal.read(path));
  const secrets = 'empty' in documents ? [] : documents.map((document, index) => {
    const parsed = document.errors.length === 0 ? Secret.safeParse(document.toJS({ maxAliasCount: 100 })) : undefined;
    if (parsed?.success) return parsed.data;
    throw CliError.of('InvalidManifest', `Document ${index + 1} of ${path} is no Secret with the label ${credentialTypeLabel} and texts in data or stringData.`);
  });
  return Object.fromEntries(secrets.map(({ metadata, data = {}, stringData = {} }) => {
    const decoded = Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')]);
    return [`${metadata.labels[credentialTypeLabel]}/${metadata.name}`, { ...Object.fromEntries(decoded), ...stringData }];
  }));
}
