/**
 * Starts a worker thread from a file beside the one that asks. From the built package that is a JavaScript file. From source (tests)
 * it is TypeScript, which Node 20 cannot load in a thread by itself and which the transform of the test runner does not reach: there
 * the thread loads it with tsx, a development dependency (`tsImport` of tsx/esm/api loads one file and leaves the thread's other
 * imports alone).
 */
import { Worker } from 'node:worker_threads';

const loadTypeScript = `
  const { workerData } = require('node:worker_threads');
  import(workerData.tsx).then(({ tsImport }) => tsImport(workerData.file, workerData.file));
`;

/** A thread called `name` that runs `file`, given without its extension relative to the module at `url`: `./writer-thread`. */
export function startThread(name: string, file: string, url: string): Worker {
  // No inherited flags: those of the service (--import, --inspect) are not meant for this thread.
  const options = { execArgv: [], name };
  if (!url.endsWith('.ts')) return new Worker(new URL(`${file}.js`, url), options);
  const workerData = { tsx: import.meta.resolve('tsx/esm/api'), file: new URL(`${file}.ts`, url).href };
  return new Worker(loadTypeScript, { ...options, eval: true, workerData });
}
