/**
 * Starts the database thread. From the built package it is a JavaScript file. From source (tests) it is TypeScript, which Node 20
 * cannot load in a thread by itself and which the transform of the test runner does not reach: there the thread loads it with
 * tsx, a development dependency (`tsImport` of tsx/esm/api loads one file and leaves the thread's other imports alone).
 */
import { Worker } from 'node:worker_threads';

const loadTypeScript = `
  const { workerData } = require('node:worker_threads');
  import(workerData.tsx).then(({ tsImport }) => tsImport(workerData.file, workerData.file));
`;

export function startWriterThread(): Worker {
  const runsFromSource = import.meta.url.endsWith('.ts');
  const file = new URL(runsFromSource ? './writer-thread.ts' : './writer-thread.js', import.meta.url);
  // No inherited flags: those of the service (--import, --inspect) are not meant for this thread.
  if (!runsFromSource) return new Worker(file, { execArgv: [], name: 'store' });
  const tsx = import.meta.resolve('tsx/esm/api');
  return new Worker(loadTypeScript, { eval: true, execArgv: [], name: 'store', workerData: { tsx, file: file.href } });
}
