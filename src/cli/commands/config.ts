/** `hsm-kms config check`: says whether the configuration is right, and what it amounts to. */
import { Command } from 'commander';
import type { RegionConfig } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { configFlags, withServeOptions } from '../options.ts';
import { printData, printJson, say } from '../terminal.ts';

export function configCommand(): Command {
  return new Command('config').description('look at the configuration').addCommand(checkCommand());
}

function checkCommand(): Command {
  return withServeOptions(new Command('check'))
    .description('check the configuration and print what holds, defaults, profiles and flags included')
    .option('--json', 'print the whole configuration as JSON (it holds references to secrets, never secrets)')
    .action((options: { json?: boolean }, command: Command) => {
      const config = loadConfig(configFlags(command));
      if (options.json === true) {
        printJson(config);
        return;
      }
      printData(`data directory  ${config.dataDirectory}`);
      printData(`listener        ${config.listener.host}:${config.listener.port}${config.listener.tls === undefined ? '' : ' with TLS'}`);
      printData(`callers         ${config.auth.mode}`);
      for (const token of config.tokens)
        printData(`token           ${token.name}: ${token.label ?? token.serial ?? ''} in ${token.module}`);
      for (const store of config.keyStores) printData(`key store       ${store.name}: ${store.kind}`);
      for (const region of config.regions) printData(`Region          ${region.region}: ${placesOf(region)}`);
      say('the configuration is right');
    });
}

/** Where new keys of a Region go. */
function placesOf({ keyStore, fallbackKeyStore }: RegionConfig): string {
  return fallbackKeyStore === undefined ? keyStore : `${keyStore}, and ${fallbackKeyStore} for what it cannot hold`;
}
