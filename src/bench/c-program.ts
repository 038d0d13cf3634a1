/** The first layer: the C program of `native/bench`, which calls the module with one session per thread and nothing around it. */
import { spawn } from 'node:child_process';
import type { TokenConfig } from '../config/config.ts';
import type { SecretBytes } from '../secret-bytes.ts';
import { nativeBuildPath } from '../token/native.ts';
import type { Observation, Workload } from './observation.ts';
import type { KeyLife } from './worker/door-subject.ts';

interface ProgramResult {
  readonly operation: string;
  readonly perSecond?: number;
  readonly cpuMicroseconds?: number;
  readonly failedFunction?: string;
  readonly returnValue?: number;
}

/** Loading a module with many objects takes seconds. */
const START_TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 65_536;

export class CProgram {
  readonly #token: TokenConfig;
  readonly #readPin: () => Promise<SecretBytes>;
  /** Why the token refused the PIN: it is not offered again, since tokens lock. */
  #refusal: string | undefined;

  /** The token must be named by its label: the program finds it by nothing else. */
  constructor(token: TokenConfig, readPin: () => Promise<SecretBytes>) {
    this.#token = token;
    this.#readPin = readPin;
  }

  /** Measures with that many threads. Rejects with the PKCS#11 function that failed. */
  async measure(workload: Workload, keyLife: KeyLife, threads: number, durationMs: number): Promise<Observation> {
    const names = operationNames(workload, keyLife);
    const results = await this.#run(names, threads, durationMs / 1000);
    let secondsEach = 0;
    let cpuEachUs = 0;
    for (const name of names) {
      const result = results.find((candidate) => candidate.operation === name);
      if (result?.perSecond === undefined || result.cpuMicroseconds === undefined) {
        throw new Error(`${result?.failedFunction ?? name} failed in C with return value ${result?.returnValue ?? 'unknown'}`);
      }
      // One operation after the other: their times add up.
      secondsEach += 1 / result.perSecond;
      cpuEachUs += result.cpuMicroseconds;
    }
    const operations = durationMs / 1000 / secondsEach;
    return { operations, seconds: durationMs / 1000, cpuUs: { 'c program': operations * cpuEachUs }, residentBytes: {} };
  }

  async #run(names: readonly string[], threads: number, seconds: number): Promise<readonly ProgramResult[]> {
    const { module, label, environment, initialize } = this.#token;
    if (label === undefined) throw new Error('The C program finds a token by its label only: configure label instead of serial');
    const args = [
      '--module',
      module,
      '--label',
      label,
      '--threads',
      String(threads),
      '--seconds',
      String(seconds),
      '--operations',
      names.join(','),
    ];
    if (initialize.reserved !== undefined) args.push('--reserved', initialize.reserved);
    if (this.#refusal !== undefined) throw new Error(this.#refusal);
    const pin = await this.#readPin();
    const program = spawn(nativeBuildPath('c-bench'), args, {
      env: { ...environment },
      timeout: START_TIMEOUT_MS + names.length * seconds * 1000,
    });
    const output = collect(program.stdout);
    const complaint = collect(program.stderr);
    const ended = new Promise<number | null>((resolve, reject) => program.once('error', reject).once('close', resolve));
    // A program that ends early does not read its PIN.
    program.stdin.on('error', () => {});
    pin.expose((bytes) => program.stdin.write(Buffer.from(bytes)));
    program.stdin.end(() => pin.wipe());
    if ((await ended) !== 0) {
      const why = complaint().trim() || 'the C program did not end in time';
      if (why.includes('C_Login')) this.#refusal = why;
      throw new Error(why);
    }
    return (JSON.parse(output()) as { results: readonly ProgramResult[] }).results;
  }
}

/** Names by key spec and algorithm. OAEP is composed from RSA without padding where the token lacks it: what it takes in the module either way. */
const keyUseNames: Readonly<Record<string, string>> = {
  'RSA_2048 RSASSA_PKCS1_V1_5_SHA_256': 'rsa-2048-pkcs1-sign',
  'RSA_2048 RSASSA_PSS_SHA_256': 'rsa-2048-pss-sign',
  'RSA_2048 RSAES_OAEP_SHA_256': 'rsa-2048-raw-decrypt',
  'RSA_4096 RSASSA_PKCS1_V1_5_SHA_256': 'rsa-4096-pkcs1-sign',
  'ECC_NIST_P256 ECDSA_SHA_256': 'ecdsa-p256-sign',
  'ECC_NIST_P256 ECDH': 'ecdh-p256',
  'ECC_NIST_P384 ECDSA_SHA_384': 'ecdsa-p384-sign',
  'ECC_NIST_EDWARDS25519 ED25519_SHA_512': 'ed25519-sign',
  'HMAC_256 HMAC_SHA_256': 'hmac-sha256',
};

function operationNames(workload: Workload, keyLife: KeyLife): readonly string[] {
  const { key } = workload;
  if (key !== undefined) return [`${keyUseNames[`${key.spec} ${key.algorithm}`] ?? key.spec}-${keyLife}`];
  if (workload.operation === 'GenerateDataKey') return ['random-32', `gcm-encrypt-${keyLife}-32`];
  return [`gcm-${workload.operation.toLowerCase()}-${keyLife}-${workload.bytes}`];
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    if (text.length < OUTPUT_BYTES_MAX) text += chunk.toString('utf8');
  });
  return () => text;
}
