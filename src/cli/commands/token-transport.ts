/** `hsm-kms token transport`: the ceremony that lets materials of multi-Region keys pass between tokens. */
import { Command } from 'commander';
import { stringify } from 'yaml';
import type { Config, TokenConfig } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { makeTransportKeys, type TokenWithPins } from '../make-transport-keys.ts';
import { configFlags, withConfigOptions } from '../options.ts';
import { CommandError, printData, printJson, say } from '../terminal.ts';
import { latchOf, soPinOf, userPin } from '../token-pins.ts';

interface TransportOptions {
  readonly token?: readonly string[];
  readonly soPinFile?: readonly string[];
  readonly json?: boolean;
}

const explanation = `
Makes a transport key, marked as trusted, and the key of its MAC in the first token, and carries both to the others, each time under an
RSA key of the receiving token that ends with this command. Nothing of it is ever outside of a token in clear. What the tokens had before
is replaced: nothing that is kept depends on it, so repeat it with all tokens whenever one joins or leaves. One token alone does it for
multi-Region keys whose Regions are all its own. Then set the pins that are printed; the daemon reads them at its next start.`;

export function tokenTransportCommand(): Command {
  return withConfigOptions(new Command('transport'))
    .description('make the keys under which materials of multi-Region keys pass between tokens, with their SO PINs')
    .addHelpText('after', explanation)
    .option('--token <names...>', 'names of the tokens in the configuration (default: all)')
    .option('--so-pin-file <files...>', 'files with the SO PINs, one for each token in the same order, readable by this user only')
    .option('--json', 'print JSON')
    .action(async (options: TransportOptions, command: Command) => {
      const config = loadConfig(configFlags(command));
      const tokens = await withPins(chosenTokens(config, options.token), options.soPinFile);
      const fingerprint = await makeTransportKeys(tokens, latchOf(config));
      const names = tokens.map(({ token }) => token.name);
      if (options.json === true) return printJson({ tokens: names, fingerprint });
      say(`${names.join(', ')}: transport keys made, fingerprint ${fingerprint}`);
      return printPins(config, names, fingerprint);
    });
}

function chosenTokens({ tokens }: Config, names: readonly string[] | undefined): readonly TokenConfig[] {
  const chosen = names === undefined ? tokens : tokens.filter(({ name }) => names.includes(name));
  const known = tokens.map(({ name }) => name).join(', ') || 'none';
  if (chosen.length === 0 || chosen.length < (names?.length ?? 0))
    throw new CommandError('not every one of these tokens is there', { hints: [`tokens of the configuration: ${known}`] });
  return names === undefined ? chosen : names.flatMap((name) => chosen.filter((token) => token.name === name));
}

async function withPins(tokens: readonly TokenConfig[], files: readonly string[] | undefined): Promise<readonly TokenWithPins[]> {
  if (files !== undefined && files.length !== tokens.length)
    throw new CommandError(`there are ${tokens.length} tokens and ${files.length} files with SO PINs: give one for each token`);
  const ready: TokenWithPins[] = [];
  for (const [index, token] of tokens.entries()) {
    ready.push({ token, pin: await userPin(token), soPin: await soPinOf(token, files?.[index]) });
  }
  return ready;
}

/** For the entries of `keyStores:`, which an operator confirms by putting them there. */
function printPins({ keyStores }: Config, tokens: readonly string[], fingerprint: string): void {
  const stores = keyStores.filter((store) => store.kind === 'pkcs11' && tokens.includes(store.token)).map(({ name }) => name);
  if (stores.length < 2) return;
  for (const own of stores) {
    const pins = stores.filter((name) => name !== own).map((keyStore) => ({ keyStore, fingerprint }));
    printData(`# ${own}\n${stringify({ transport: { pins } })}`);
  }
}
