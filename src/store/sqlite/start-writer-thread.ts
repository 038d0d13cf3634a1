/** Starts the database thread. */
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../start-thread.ts';

export function startWriterThread(): Worker {
  return startThread('store', './writer-thread', import.meta.url);
}
