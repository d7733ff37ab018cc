#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import packageJson from '../package.json' with { type: 'json' };
import { CliError } from './cli-error.ts';
import { runCommandLine } from './program.ts';

/** `kubectl millrace` starts the same file under another name. */
const isPlugin = basename(process.argv[1] ?? '').startsWith('kubectl-');

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (output) => void process.stdout.write(output),
  err: (output) => void process.stderr.write(output),
  env: process.env,
  home: homedir(),
  now: () => Date.now(),
  async read(path) {
    try {
      return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
    } catch (error) {
      throw CliError.of('FileUnreadable', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
    }
  },
}, { name: isPlugin ? 'kubectl millrace' : 'millrace', version: packageJson.version });
