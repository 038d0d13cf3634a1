/** Searches the memory of another process: every mapping that can be read, the heap of V8 and buffers outside of it alike. Linux only. */
import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

const chunkBytes = 4 * 1_024 * 1_024;

interface Mapping {
  readonly start: number;
  readonly end: number;
}

/**
 * How often each needle lies in the memory of the process. The process runs on meanwhile, so bytes that move may be missed or counted
 * twice.
 */
export async function countInMemory<Name extends string>(
  pid: number,
  needles: Readonly<Record<Name, Uint8Array>>,
): Promise<Record<Name, number>> {
  const sought = Object.entries<Uint8Array>(needles);
  const counts = new Map(sought.map(([name]) => [name, 0]));
  const overlap = Math.max(...sought.map(([, { length }]) => length)) - 1;
  const memory = await open(`/proc/${pid}/mem`, 'r');
  const buffer = Buffer.alloc(chunkBytes);
  try {
    for (const { start, end } of await readableMappings(pid)) {
      for (let at = start; at < end; at += chunkBytes - overlap) {
        const seen = buffer.subarray(0, await readAt(memory, buffer, at, Math.min(chunkBytes, end - at)));
        // What begins in the overlap is counted with the next chunk.
        const limit = at + chunkBytes >= end ? seen.length : chunkBytes - overlap;
        for (const [name, needle] of sought) counts.set(name, (counts.get(name) ?? 0) + occurrences(seen, needle, limit));
      }
    }
  } finally {
    await memory.close();
    buffer.fill(0);
  }
  return Object.fromEntries(counts) as Record<Name, number>;
}

async function readableMappings(pid: number): Promise<readonly Mapping[]> {
  const lines = (await readFile(`/proc/${pid}/maps`, 'utf8')).trim().split('\n');
  return lines
    .filter((line) => /^\S+ r/.test(line) && !/\[v(var|var_vclock|syscall)\]$/.test(line))
    .map((line) => {
      const [start = '', end = ''] = (line.split(' ')[0] ?? '').split('-');
      return { start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) };
    });
}

/** A mapping may go while it is read: then nothing of it is left to be found. */
async function readAt(memory: FileHandle, buffer: Buffer, at: number, lengthBytes: number): Promise<number> {
  try {
    return (await memory.read(buffer, 0, lengthBytes, at)).bytesRead;
  } catch {
    return 0;
  }
}

/** Occurrences that begin before `limit`. */
function occurrences(bytes: Buffer, needle: Uint8Array, limit: number): number {
  let count = 0;
  for (let at = bytes.indexOf(needle); at !== -1 && at < limit; at = bytes.indexOf(needle, at + 1)) count += 1;
  return count;
}
