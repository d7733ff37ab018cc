/**
 * Entry of the process that starts a Python interpreter once and prints the memory it then has, compressed. Starting takes seconds in
 * one stretch, which an executor must not be away for: the supervisor would take it for stuck.
 */
import process from 'node:process';
import { constants, zstdCompressSync } from 'node:zlib';
import { createPythonContext, loadPythonParts } from './context.ts';

const LEVEL = 3;

const context = await createPythonContext(await loadPythonParts());
process.stdout.write(zstdCompressSync(context.memory(), { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } }));
