import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import vm from 'node:vm';

/** A JavaScript context with a Python interpreter in it. Only numbers and text go in, only text comes out. */
export interface PythonContext {
  /** Sets the clock (milliseconds) and the seed of everything random (0 ≤ seed < 1). */
  start(now: number, seed: number): void;
  /** Calls `run` of driver.py. */
  run(request: string): unknown;
  /** The interpreter's memory before it has run anything. */
  memory(): Uint8Array;
}

/** Everything a context is made from, loaded once per process. */
export interface PythonParts {
  scripts: readonly vm.Script[];
  module: WebAssembly.Module;
  library: Uint8Array;
  driver: string;
}

/**
 * What the context gets instead of an environment: nothing of the host, no code from text, no imports. Pyodide takes it for a
 * JavaScript shell. The clock starts where the execution's clock is and moves a little with every look at it, so that the same
 * run gives the same again and waiting ends.
 */
const BOOT = `(() => {
  const realInstantiate = WebAssembly.instantiate;
  const { Instance } = WebAssembly;
  let module, library, snapshot, pyodide, run, now = 0, state = 1;
  const tick = () => (now += 0.01);
  const randomByte = () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return state >>> 24; };
  const bytesOf = (text) => { const raw = unescape(encodeURIComponent(text)); const bytes = new Uint8Array(raw.length); for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i); return bytes; };
  const textOf = (bytes) => { let raw = ''; for (let i = 0; i < bytes.length; i += 4096) raw += String.fromCharCode(...bytes.subarray(i, i + 4096)); return decodeURIComponent(escape(raw)); };
  // The frames of the host are on the stack, too.
  Object.defineProperties(Error, { stackTraceLimit: { value: 0, writable: false, configurable: false }, prepareStackTrace: { value: undefined, writable: false, configurable: false } });
  Date.now = () => Math.floor(tick());
  Math.random = () => randomByte() / 256;
  const refuse = () => { throw new Error('not available'); };
  Object.assign(globalThis, {
    performance: { now: tick },
    console: { log() {}, warn() {}, error() {} },
    setTimeout: () => 0, clearTimeout() {},
    read: refuse, load: refuse,
    readbuffer: (path) => path.endsWith('.zip') ? library.buffer : new ArrayBuffer(0),
    // Pyodide asks a shell for random bytes with a command line: head -c<count> | base64.
    os: { system: (_, args) => {
      const count = Number(/-c(\\d+)/.exec(args[1])[1]);
      const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
      let text = '';
      for (let i = 0; i < Math.floor(count / 3) * 4; i += 1) text += digits[randomByte() >> 2];
      return text + ['', 'AA==', 'AAA='][count % 3];
    } },
    TextEncoder: class { encode(text) { return bytesOf(text); } encodeInto(text, target) { const bytes = bytesOf(text); target.set(bytes); return { read: text.length, written: bytes.length }; } },
    TextDecoder: class { decode(bytes) { return textOf(new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength)); } },
  });
  WebAssembly.instantiate = async (source, imports) => imports?.['GOT.func'] ? { module, instance: new Instance(module, imports) } : realInstantiate(source, imports);
  return {
    library: (size) => library = new Uint8Array(size),
    snapshot: (size) => snapshot = new Uint8Array(size),
    module: (given) => { Object.setPrototypeOf(given, WebAssembly.Module.prototype); module = given; },
    load: async (version, abi, driver) => {
      pyodide = await loadPyodide({
        indexURL: '/', createPyodideModule, jsglobals: Object.freeze({}), env: {}, stdin: () => null, stdout() {}, stderr() {},
        lockFileContents: { info: { version, abi_version: abi, arch: 'wasm32', platform: '', python: '' }, packages: {} },
        ...(snapshot ? { _loadSnapshot: snapshot } : { _makeSnapshot: true }),
      });
      pyodide.runPython(driver);
      run = pyodide.globals.get('run');
    },
    memory: () => pyodide.makeMemorySnapshot(),
    start: (at, seed) => { now = at; state = Math.floor(seed * 4294967296) >>> 0; },
    run: (request) => run(request),
  };
})()`;

const BOOT_SCRIPT = new vm.Script(BOOT, { filename: 'python:boot' });

interface Boot extends PythonContext {
  library(size: number): Uint8Array;
  snapshot(size: number): Uint8Array;
  module(module: WebAssembly.Module): void;
  load(version: string, abi: string, driver: string): Promise<void>;
}

/** Reads Pyodide from its package and compiles it; a few hundred milliseconds. */
export async function loadPythonParts(): Promise<PythonParts> {
  const folder = dirname(createRequire(import.meta.url).resolve('pyodide/package.json'));
  const [loader, program, wasm, library, driver] = await Promise.all([
    readFile(join(folder, 'pyodide.mjs'), 'utf8'), readFile(join(folder, 'pyodide.asm.mjs'), 'utf8'),
    readFile(join(folder, 'pyodide.asm.wasm')), readFile(join(folder, 'python_stdlib.zip')), readFile(new URL('driver.py', import.meta.url), 'utf8'),
  ]);
  return {
    scripts: [asScript(loader, /export\s*\{\s*(\w+) as loadPyodide\b[^}]*\};?/, 'loadPyodide'), asScript(program, /export default (\w+);/, 'createPyodideModule')],
    module: await compileModule(wasm), library, driver,
  };
}

/** A module as a script that leaves its export in a global variable. Imports are for other environments. */
function asScript(source: string, exported: RegExp, name: string): vm.Script {
  const text = source.replaceAll(/\bimport\(/g, 'notAvailable(').replaceAll('import.meta.url', '"pyodide"').replace(exported, (_, local: string) => `globalThis.${name} = ${local};`).replace(/\/\/# sourceMappingURL.*/, '');
  return new vm.Script(text, { filename: `pyodide:${name}` });
}

function compileModule(bytes: Uint8Array): Promise<WebAssembly.Module> {
  // Node's types know the namespace only as types.
  const { compile } = Reflect.get(globalThis, 'WebAssembly') as { compile(source: Uint8Array): Promise<WebAssembly.Module> };
  return compile(bytes);
}

/** Starts an interpreter: seconds of computing from nothing, a third of a second from a snapshot of its memory. */
export async function createPythonContext(parts: PythonParts, snapshot?: Uint8Array): Promise<PythonContext> {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: true } });
  const boot = BOOT_SCRIPT.runInContext(context) as Boot;
  for (const script of parts.scripts) script.runInContext(context);
  // Until the driver is loaded only trusted code runs in the context.
  boot.library(parts.library.length).set(parts.library);
  if (snapshot) boot.snapshot(snapshot.length).set(snapshot);
  boot.module(structuredClone(parts.module));
  await boot.load(VERSION, ABI, parts.driver);
  return boot;
}

/** Those of the pinned package; Pyodide compares them with its own. */
const VERSION = '314.0.7';
const ABI = '2026_0';
