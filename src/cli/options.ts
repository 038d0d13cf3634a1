/** Options that several commands share, checked for form where they are read. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ConfigFlags } from '../config/flags.ts';

const portMax = 65_535;
const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** `--config` and `--data`: where the configuration is. */
export function withConfigOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: config.yaml in the data directory)')
    .option('--data <directory>', 'data directory (default: .hsm-kms)');
}

/** All flags that lie over the configuration. */
export function withServeOptions(command: Command): Command {
  return withConfigOptions(command)
    .option('--host <address>', 'address to listen on; beyond loopback the configuration must have TLS')
    .option('--port <number>', 'port to listen on, 0 for a free one (default: 4599)', parsePort)
    .option('--store <name>', 'key store where new keys go; "software" always exists')
    .addOption(new Option('--auth <mode>', 'how callers are known; emulator believes everybody').choices(['sigv4', 'emulator']))
    .option('--region <region>', 'serve this Region only (repeatable)', collect)
    .addOption(new Option('--log-level <level>', 'how much goes to the log on standard error').choices(logLevels))
    .addOption(new Option('--isolation <placement>', 'where PKCS#11 modules are loaded').choices(['process', 'none']))
    .option('--seeds <file>', 'file of keys that are made at the first start that knows them')
    .addOption(
      new Option('--clock <kind>', 'virtual: requests can move it forward, for tests; needs --auth emulator').choices([
        'system',
        'virtual',
      ]),
    );
}

/** The flags that a command with `withServeOptions` or `withConfigOptions` was given. */
export function configFlags(command: Command): ConfigFlags {
  return command.opts<ConfigFlags>();
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= portMax) return port;
  throw new InvalidArgumentError(`A whole number from 0 to ${portMax} is needed.`);
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}
