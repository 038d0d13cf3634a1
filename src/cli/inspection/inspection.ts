/** Asks the inspection process about a token. The PIN goes over its standard input; a module that crashes ends only that process. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TokenConfig } from '../../config/config.ts';
import { CommandError } from '../terminal.ts';

const answerBytesMax = 256 * 1_024 * 1_024;
const answerTimeoutMs = 120_000;

interface Target {
  readonly module: string;
  /** pReserved of C_Initialize. */
  readonly reserved?: string | undefined;
}
interface TokenName {
  readonly label?: string | undefined;
  readonly serial?: string | undefined;
}

/** What the process is asked. */
export type InspectionRequest = Target &
  (
    | { readonly task: 'initialize'; readonly label: string; readonly pin: string; readonly soPin: string }
    | ({ readonly task: 'info' } & TokenName)
    | ({ readonly task: 'objects'; readonly pin?: string | undefined } & TokenName)
  );

export interface InspectedMechanism {
  readonly name: string;
  readonly number: number;
  readonly keyMin: number;
  readonly keyMax: number;
}

export interface InspectedToken {
  readonly module: string;
  readonly library: string;
  readonly cryptoki: string;
  readonly label: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly initialized: boolean;
  readonly pinSet: boolean;
  readonly pinCountLow: boolean;
  readonly pinFinalTry: boolean;
  readonly pinLocked: boolean;
  readonly mechanisms: readonly InspectedMechanism[];
}

export interface InspectedObject {
  readonly class: string;
  readonly keyType: string;
  readonly label: string;
  /** CKA_ID in hexadecimal. */
  readonly id: string;
  /** Boolean attributes that are true, without CKA_. */
  readonly flags: readonly string[];
  readonly valueReadable: boolean;
}

/** What the requests of a configured token begin with. */
export function targetOf(token: TokenConfig): Target & TokenName {
  return { module: token.module, reserved: token.initialize.reserved, label: token.label, serial: token.serial };
}

/** Runs one request in a process of its own. Rejects with CommandError that says what the module answered. */
export async function inspect<Answer>(request: InspectionRequest, environment: Readonly<Record<string, string>>): Promise<Answer> {
  const child = spawn(process.execPath, [...process.execArgv, processFile()], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: answerTimeoutMs,
    killSignal: 'SIGKILL',
  });
  const [output, complaint, ended] = [collect(child.stdout), collect(child.stderr), exitOf(child)];
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(request));
  const { code, signal } = await ended;
  if (code === 0) return JSON.parse(await output) as Answer;
  throw new CommandError(failureText(request, signal, await complaint), {
    hints: ['hsm-kms doctor looks at the module, the token and the PIN one by one'],
  });
}

function processFile(): string {
  // Beside this file, in the form in which this file runs (.ts from the sources, .js once built).
  return fileURLToPath(new URL(`inspection-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}

function exitOf(child: ReturnType<typeof spawn>): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += (chunk as Buffer).length;
    if (length <= answerBytesMax) chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function failureText(request: InspectionRequest, signal: string | null, complaint: string): string {
  if (signal !== null) return `the module ${request.module} ended its process with ${signal}`;
  const thrown = /^(?:\w*Error): (.*)$/m.exec(complaint)?.[1] ?? 'the process gave no reason';
  return `the token could not be asked: ${thrown}`;
}
