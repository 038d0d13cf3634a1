/**
 * The native addon, typed, and the door that it opens inside this process. The other placement is `token/host/host-door.ts`.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Cryptoki } from './cryptoki.ts';
import { CryptokiLink } from './cryptoki-link.ts';
import { LinkedCryptoki } from './linked-cryptoki.ts';
import type { Placement } from './linked-cryptoki.ts';

/** One slab with its doorbells and PIN pipe (`native/door.h`). Every method throws TypeError on wrong arguments. */
export interface NativeDoor {
  /** The slab. To be called once. */
  memory(): ArrayBuffer;
  /** Descriptors of slab, completion doorbell and PIN pipe, in the order in which a host inherits them. */
  descriptors(): readonly [number, number, number];
  /** The host has its own descriptors now. */
  handedOver(): void;
  /** Sets environment variables of this process and starts the engine in it. */
  startEngine(names: readonly string[], values: readonly string[]): void;
  /** `callback` gets the number of slot numbers in `completed`; more than there are slots means that the slab is broken. */
  listen(completed: Uint32Array, callback: (count: number) => void): void;
  /** Hands a slot to the threads of a class. `quietly` wakes none of them: `ring` is to follow. */
  submit(threadClass: number, slot: number, quietly: boolean): void;
  /** Wakes the threads for what was submitted quietly. May be called when the door is closed. */
  ring(): void;
  /** Looks for completions that were not announced: the engine announces some together, and may hang before it does. */
  wake(): void;
  /** To be called before the login request of that sequence number is submitted. */
  sendPin(sequence: number, pin: Uint8Array): void;
  /** True when the engine of this process has ended its threads and finalized the module. */
  engineStopped(): boolean;
  /** Ends the engine and wipes what is in the slab; requests that were not begun are not performed any more. May be repeated. */
  close(): void;
}

interface Addon {
  readonly Door: new (generation: number) => NativeDoor;
  readonly slabVersion: number;
}

const SLAB_VERSION = 2;
const STOP_POLL_MS = 5;

/** Where the build puts the addon and the token host; the same from `src/` and `dist/`. */
export function nativeBuildPath(fileName: string): string {
  return fileURLToPath(new URL(`../../native/build/Release/${fileName}`, import.meta.url));
}

let loadedAddon: Addon | undefined;

function addon(): Addon {
  loadedAddon ??= loadAddon(nativeBuildPath('pkcs11.node'));
  return loadedAddon;
}

function loadAddon(path: string): Addon {
  let loaded: Addon;
  try {
    loaded = createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new Error(`the native addon could not be loaded from ${path}: build it with "npm run build:native"`, { cause });
  }
  if (loaded.slabVersion !== SLAB_VERSION)
    throw new Error(`${path} was built from another version: build it again with "npm run build:native"`);
  return loaded;
}

let lastGeneration = 0;

/** A new slab. Generations rise by one for each slab of this process. */
export function createDoor(): { door: NativeDoor; generation: number } {
  const { Door } = addon();
  lastGeneration = (lastGeneration + 1) >>> 0;
  return { door: new Door(lastGeneration), generation: lastGeneration };
}

export interface InProcessOptions {
  /** Variables that the module reads, for example SOFTHSM2_CONF. They are set in this process. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A door whose engine threads run in this process. The module shares this process' memory: use it for trusted modules only. Several
 * doors work side by side for different libraries; Cryptoki keeps one state per library and process, so the `load` of a library that
 * another door of this process has initialised rejects with CKR_CRYPTOKI_ALREADY_INITIALIZED. A thread that the
 * module never returns from cannot be ended: after `close` it is abandoned, and the library stays initialised.
 */
export function openInProcessCryptoki(options: InProcessOptions): Promise<Cryptoki> {
  const { door, generation } = createDoor();
  try {
    const link = new CryptokiLink(door, generation);
    door.startEngine(Object.keys(options.environment), Object.values(options.environment));
    const placement: Placement = { name: 'in-process', hostPid: undefined, shutDown: (graceMs) => shutDown(door, graceMs) };
    return Promise.resolve(new LinkedCryptoki(link, placement));
  } catch (error) {
    door.close();
    throw error;
  }
}

/** Ends the engine; waits at most `graceMs` for its threads. */
async function shutDown(door: NativeDoor, graceMs: number): Promise<void> {
  door.close();
  for (let waitedMs = 0; waitedMs < graceMs && !door.engineStopped(); waitedMs += STOP_POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS));
  }
}
