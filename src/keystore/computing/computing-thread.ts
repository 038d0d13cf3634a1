/** Entry of a computing thread: one computation at a time, secrets wiped after use. */
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { KeyStoreError } from '../keystore.ts';
import { computations } from './computations.ts';
import { type ComputingReply, type ComputingRequest, wipeBytes, withOwnBuffers } from './messages.ts';

/** Behind the event loop when both want a CPU. On Linux this is the priority of the calling thread only (setpriority(2), "C library/kernel differences"). */
const nice = 10;

async function answer({ name, argument, secret }: ComputingRequest): Promise<void> {
  const buffers: ArrayBuffer[] = [];
  let reply: ComputingReply;
  try {
    const result = await (computations[name] as (argument: unknown, secret: Uint8Array) => unknown)(argument, secret);
    reply = { value: withOwnBuffers(result, buffers) };
    wipeBytes(result);
  } catch (error) {
    const kind = error instanceof KeyStoreError ? error.kind : 'internal';
    reply = { failure: { kind, message: error instanceof Error ? error.message : String(error) } };
  } finally {
    secret.fill(0);
  }
  parentPort?.postMessage(reply, buffers);
}

if (process.platform === 'linux') setPriority(nice);
parentPort?.on('message', (request: ComputingRequest) => void answer(request));
