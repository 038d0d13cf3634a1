/** Opens the layers that are measured, each in processes of its own, and closes them again. */
import { readFileSync } from 'node:fs';
import type { TokenConfig } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { CProgram } from './c-program.ts';
import { DaemonProcess } from './daemon-process.ts';
import type { Cell, LayerName, Observation } from './observation.ts';
import type { Layer } from './rounds.ts';
import type { KeyLife } from './worker/door-subject.ts';
import { unattendedSecrets } from './worker/unattended-secrets.ts';
import { Worker } from './worker/worker.ts';

/** A layer that is the C program. */
export function cLayer(name: 'c' | 'c-token-key', token: TokenConfig): Layer {
  const keyLife: KeyLife = name === 'c' ? 'session' : 'token';
  const program = new CProgram(token, () => readSecret(token.pin, `PIN of token ${token.name}`, unattendedSecrets));
  return {
    name,
    // More threads than sessions have no meaning here: each thread owns one.
    measure: (workload, outstanding, durationMs) =>
      program.measure(workload, keyLife, Math.min(outstanding, token.threads.fast), durationMs),
    close: () => Promise.resolve(),
  };
}

/** A layer that is a worker process. */
export class WorkerLayer implements Layer {
  readonly name: LayerName;
  readonly worker: Worker;

  constructor(name: LayerName, worker: Worker) {
    this.name = name;
    this.worker = worker;
  }

  async measure(workload: Cell['workload'], outstanding: number, durationMs: number): Promise<Observation> {
    await this.worker.prepare(workload, outstanding);
    return this.worker.measure(durationMs);
  }

  close(): Promise<void> {
    return this.worker.close();
  }
}

export async function doorLayer(name: LayerName, configFile: string, keyLife: KeyLife): Promise<Layer> {
  return new WorkerLayer(name, await Worker.open({ kind: 'door', configFile, keyLife }));
}

/** How a client reaches the daemon of a configuration. */
export interface Client {
  readonly keyId: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly credentialsFile: string;
  /** Certificate to trust, where the daemon speaks TLS. */
  readonly certificateFile?: string;
}

/** A layer that is a daemon process with a load generator in another process. */
export class HttpLayer implements Layer {
  readonly name: LayerName;
  readonly #daemon: DaemonProcess;
  readonly #generator: Worker;

  private constructor(name: LayerName, daemon: DaemonProcess, generator: Worker) {
    this.name = name;
    this.#daemon = daemon;
    this.#generator = generator;
  }

  static async open(name: LayerName, configFile: string, client: Client): Promise<HttpLayer> {
    const daemon = await DaemonProcess.start(configFile);
    try {
      const { certificateFile, ...access } = client;
      const trust = certificateFile === undefined ? {} : { authority: readFileSync(certificateFile, 'utf8') };
      const target = { host: daemon.host, port: daemon.port, ...trust };
      return new HttpLayer(name, daemon, await Worker.open({ kind: 'http', target, servicePid: daemon.pid, ...access }));
    } catch (error) {
      await daemon.stop();
      throw error;
    }
  }

  async measure(workload: Cell['workload'], outstanding: number, durationMs: number): Promise<Observation> {
    await this.#generator.prepare(workload, outstanding);
    this.#daemon.watchEventLoop();
    const observation = await this.#generator.measure(durationMs);
    return { ...observation, loopDelayP99Ms: await this.#daemon.eventLoopDelayP99Ms() };
  }

  async close(): Promise<void> {
    await this.#generator.close();
    await this.#daemon.stop();
  }
}
