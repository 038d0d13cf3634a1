/** Keys that other programs make in a token: OpenSC's pkcs11-tool, and what an operator does to their flags with a binding of his own. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RunningDaemon } from './daemon.ts';

type OpenToken = NonNullable<RunningDaemon['token']>;

export interface TokenObjectText {
  readonly label?: string;
  readonly id?: string;
  readonly class?: number;
  readonly [attribute: string]: unknown;
}

/**
 * Runs `pkcs11-tool` logged in. It takes PINs from a terminal or its environment only: the PIN of a throw-away token goes into the
 * environment of this one process. Returns what it printed.
 */
export function pkcs11Tool(token: OpenToken, ...words: readonly string[]): string {
  const run = spawnSync(
    'pkcs11-tool',
    ['--module', token.module, '--token-label', token.label, '--login', '--pin', 'env:TOKEN_PIN', ...words],
    {
      env: { ...process.env, ...token.environment, TOKEN_PIN: pinOf(token) },
      encoding: 'utf8',
    },
  );
  if (run.status !== 0) throw new Error(`pkcs11-tool ${words.join(' ')}: ${run.stderr}`);
  return run.stdout;
}

/** Makes a key with `pkcs11-tool`, then sets the flags that are named: SoftHSM gives every key all of them. */
export function makeForeignKey(
  token: OpenToken,
  type: string,
  names: { readonly label: string; readonly id: string },
  flags: Readonly<Record<string, boolean>>,
  more: readonly string[] = ['--sensitive', '--private'],
): void {
  const isPair = /^(rsa|EC):/.test(type);
  pkcs11Tool(token, isPair ? '--keypairgen' : '--keygen', '--key-type', type, '--label', names.label, '--id', names.id, ...more);
  runScript(token, 'set-token-flags.mjs', [JSON.stringify({ ...names, flags })]);
}

/** Every object of the token with its attributes, through an independent binding. */
export function tokenObjects(token: OpenToken): readonly TokenObjectText[] {
  return JSON.parse(runScript(token, 'token-inspector.mjs', ['inspect'])) as readonly TokenObjectText[];
}

function runScript(token: OpenToken, script: string, words: readonly string[]): string {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const run = spawnSync(process.execPath, [path, token.module, token.label, ...words], {
    env: { ...process.env, ...token.environment },
    input: pinOf(token),
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`${script}: ${run.stderr}`);
  return run.stdout;
}

function pinOf(token: OpenToken): string {
  return readFileSync(token.pinFile, 'utf8').trim();
}
