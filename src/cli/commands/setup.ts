/** `hsm-kms setup`: makes a data directory that `hsm-kms serve` can start from, for development and tests on one machine. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { configFileName, defaultDataDirectory, readConfigFile } from '../../config/load-config.ts';
import { type DevelopmentChoice, makeDevelopmentFiles } from '../development-files.ts';
import { say } from '../terminal.ts';

type SetupOptions = Omit<DevelopmentChoice, 'dataDirectory'> & { readonly data: string };

const explanation = `
Makes a SoftHSM token with random PINs and a wrapping key, an access key, and config.yaml. The user PIN goes to softhsm/pin
(readable by this user only). The SO PIN is forgotten at once, so the daemon can never have it; remove the directory to
start over, with all its keys. A directory that is complete is left as it is.`;

export function setupCommand(): Command {
  return new Command('setup')
    .description('make a data directory for development: SoftHSM token, access key, configuration')
    .addHelpText('after', explanation)
    .option('--data <directory>', 'data directory', defaultDataDirectory)
    .addOption(new Option('--store <store>', 'where keys live').choices(['softhsm', 'software']).default('softhsm'))
    .addOption(
      new Option('--residency <residency>', 'keys as token objects, or wrapped by the token and kept in the store')
        .choices(['token', 'wrapped'])
        .default('token'),
    )
    .addOption(new Option('--suite <suite>', 'how ciphertexts are made').choices(['measured', 'derived', 'direct']).default('measured'))
    .option('--account <id>', 'AWS account of the access key', parseAccount, '000000000000')
    .action(async ({ data, ...choice }: SetupOptions) => {
      const dataDirectory = resolve(data);
      const file = join(dataDirectory, configFileName);
      if (existsSync(file)) {
        readConfigFile(file);
        say(`${dataDirectory} is already set up`);
        return;
      }
      await makeDevelopmentFiles({ dataDirectory, ...choice });
      say(`${dataDirectory} is set up`, [`start the daemon with: hsm-kms serve --data ${data}`]);
    });
}

function parseAccount(text: string): string {
  if (/^\d{12}$/.test(text)) return text;
  throw new InvalidArgumentError('An account has 12 digits.');
}
