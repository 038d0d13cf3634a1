#!/usr/bin/env node
/** The command line. Commands are listed here and nowhere else; each is a file in `commands/`. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/yaml-source.ts';
import { benchCommand } from './commands/bench.ts';
import { configCommand } from './commands/config.ts';
import { doctorCommand } from './commands/doctor.ts';
import { keysCommand } from './commands/keys.ts';
import { rootKeyCommand } from './commands/root-key.ts';
import { serveCommand } from './commands/serve.ts';
import { setupCommand } from './commands/setup.ts';
import { tokenCommand } from './commands/token.ts';
import { CommandError, exitFailure, exitUsage, say } from './terminal.ts';

const commands: readonly (() => Command)[] = [
  serveCommand,
  setupCommand,
  keysCommand,
  rootKeyCommand,
  tokenCommand,
  doctorCommand,
  configCommand,
  benchCommand,
];

const exitCodes = `
Exit codes:
  0  done
  1  it failed; standard error says why and what to do
  2  the command line or the configuration is wrong`;

function program(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  const root = new Command('hsm-kms')
    .description('the AWS KMS API, served from keys that never leave a PKCS#11 token')
    .version(version)
    .addHelpText('after', exitCodes);
  for (const command of commands) root.addCommand(command());
  speakOneWay(root);
  return root;
}

/** Commander's own complaints in our form, and thrown instead of ending the process. */
function speakOneWay(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'hsm-kms: ').replace(/\.?\n/, '\n')) });
  for (const child of command.commands) speakOneWay(child);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUsage;
  if (error instanceof ConfigError) {
    say(error.message);
    return exitUsage;
  }
  if (error instanceof CommandError) {
    say(error.message, error.hints);
    return error.exitCode;
  }
  say(error instanceof Error ? error.message : String(error));
  return exitFailure;
}

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
