/** Computing threads that answer when the test says so. */
import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { ComputingThreads } from '../../src/keystore/computing/computing-threads.ts';
import type { ComputingReply, ComputingRequest } from '../../src/keystore/computing/messages.ts';

/** One thread. */
export class HeldThread extends EventEmitter {
  readonly requests: ComputingRequest[] = [];
  readonly moved: (readonly ArrayBuffer[])[] = [];
  terminated = false;
  ref(): void {}
  unref(): void {}
  postMessage(message: ComputingRequest, moved: readonly ArrayBuffer[]): void {
    this.requests.push(message);
    this.moved.push(moved);
  }
  async terminate(): Promise<void> {
    this.terminated = true;
  }
  answer(value: unknown = true): void {
    this.emit('message', { value } satisfies ComputingReply);
  }
}

export function heldThreads(options: { readonly threadsMax: number; readonly waitingMax: number }): {
  readonly threads: ComputingThreads;
  readonly started: HeldThread[];
} {
  const started: HeldThread[] = [];
  const startThread = (): Worker => {
    const thread = new HeldThread();
    started.push(thread);
    return thread as unknown as Worker;
  };
  return { threads: new ComputingThreads({ ...options, startThread }), started };
}
