/** `hsm-kms token init|info|objects|unlatch|transport`: the operator's look at a token, and the acts that only an operator may do. */
import { Command } from 'commander';
import type { Config, TokenConfig } from '../../config/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { SecretBytes } from '../../secret-bytes.ts';
import { pinLatchKey } from '../../token/pin-latch.ts';
import { inspect, type InspectedObject, type InspectedToken, targetOf } from '../inspection/inspection.ts';
import { configFlags, withConfigOptions } from '../options.ts';
import { columns, CommandError, printData, printJson, say } from '../terminal.ts';
import { latchOf, soPinOf, userPin } from '../token-pins.ts';
import { makeWrappingKey } from '../wrapping-key.ts';
import { tokenTransportCommand } from './token-transport.ts';

const hexRadix = 16;

interface TokenOptions {
  readonly token?: string;
  readonly json?: boolean;
}
interface InitOptions extends TokenOptions {
  readonly initialize?: boolean;
  readonly soPinFile?: string;
}

export function tokenCommand(): Command {
  return new Command('token')
    .description('look at a token of the configuration, or prepare it')
    .addCommand(initCommand())
    .addCommand(infoCommand())
    .addCommand(objectsCommand())
    .addCommand(unlatchCommand())
    .addCommand(tokenTransportCommand());
}

function tokenSubcommand(name: string): Command {
  return withConfigOptions(new Command(name)).option('--token <name>', 'name of the token in the configuration (default: the only one)');
}

const initExplanation = `
Makes the key with which the token wraps keys of residency "wrapped", and the key that binds what is kept in the store. The SO
PIN is asked for at the terminal, or read from --so-pin-file, used once and forgotten: the daemon never has it.
The user PIN is the one that the configuration refers to. Running it again on a prepared token changes nothing.`;

function initCommand(): Command {
  return tokenSubcommand('init')
    .description('prepare a token for hsm-kms, with its SO PIN')
    .addHelpText('after', initExplanation)
    .option(
      '--initialize',
      'first initialise a blank token with the label of the configuration (C_InitToken, C_InitPIN); never touches an initialised one',
    )
    .option('--so-pin-file <file>', 'file with the SO PIN, readable by this user only')
    .action(async (options: InitOptions, command: Command) => {
      const config = loadConfig(configFlags(command));
      const token = chooseToken(config, options.token);
      const soPin = await soPinOf(token, options.soPinFile);
      if (options.initialize === true) await initialize(token, soPin);
      const { wrappingKey, recordMacKey } = await makeWrappingKey(token, { pin: await userPin(token), soPin }, latchOf(config));
      for (const key of [wrappingKey, recordMacKey]) say(`${key.label}: ${key.created ? 'made' : 'was there'}, CKA_ID ${key.id}`);
      if (!wrappingKey.trusted) say('the wrapping key is not TRUSTED', ['this token has no security officer role that could mark it']);
      if (!wrappingKey.unwrapTemplate)
        say('the wrapping key has no unwrap template', ['what it unwraps is as the caller asks: hsm-kms doctor says what that means']);
    });
}

async function initialize(token: TokenConfig, soPin: SecretBytes): Promise<void> {
  if (token.label === undefined)
    throw new CommandError(`the token ${token.name} is configured by its serial, which a blank token gets only now`, {
      hints: ['configure it by its label'],
    });
  const pin = await userPin(token);
  const info = await inspect<InspectedToken>(
    { ...targetOf(token), task: 'initialize', label: token.label, pin: text(pin), soPin: text(soPin) },
    token.environment,
  );
  say(`initialised the token '${info.label}' with serial ${info.serial}`);
}

function infoCommand(): Command {
  return tokenSubcommand('info')
    .description('show the token, its library and its mechanisms, through an independent binding')
    .option('--json', 'print JSON')
    .action(async (options: TokenOptions, command: Command) => {
      const token = chooseToken(loadConfig(configFlags(command)), options.token);
      const info = await inspect<InspectedToken>({ ...targetOf(token), task: 'info' }, token.environment);
      if (options.json === true) {
        printJson(info);
        return;
      }
      const { mechanisms, ...plain } = info;
      printData(columns(Object.entries(plain).map(([name, value]) => [name, String(value)])));
      printData(
        columns([
          ['MECHANISM', 'NUMBER', 'KEY MIN', 'KEY MAX'],
          ...mechanisms.map((m) => [m.name, `0x${m.number.toString(hexRadix)}`, String(m.keyMin), String(m.keyMax)]),
        ]),
      );
    });
}

function objectsCommand(): Command {
  return tokenSubcommand('objects')
    .description('list the objects of the token with their attributes, through an independent binding')
    .option('--json', 'print JSON')
    .action(async (options: TokenOptions, command: Command) => {
      const token = chooseToken(loadConfig(configFlags(command)), options.token);
      const objects = await inspect<readonly InspectedObject[]>(
        { ...targetOf(token), task: 'objects', pin: text(await userPin(token)) },
        token.environment,
      );
      if (options.json === true) {
        printJson(objects);
        return;
      }
      const rows = objects.map((object) => [
        object.class,
        object.keyType,
        object.label,
        object.id,
        `${object.flags.join(' ')}${object.valueReadable ? ' VALUE-READABLE' : ''}`,
      ]);
      printData(columns([['CLASS', 'TYPE', 'LABEL', 'ID', 'ATTRIBUTES'], ...rows]));
      say(`${objects.length} ${objects.length === 1 ? 'object' : 'objects'}`);
    });
}

const unlatchExplanation = `
A PIN that the token refused is remembered and not offered again, so that no restart and no loop can lock the token. A PIN file that
was replaced counts as another PIN; one from the environment, a credential or the terminal is offered again only after this.`;

function unlatchCommand(): Command {
  return tokenSubcommand('unlatch')
    .description('let a PIN be offered again that the token refused, once it was put right')
    .addHelpText('after', unlatchExplanation)
    .action((options: TokenOptions, command: Command) => {
      const config = loadConfig(configFlags(command));
      const token = chooseToken(config, options.token);
      const latch = latchOf(config);
      const key = pinLatchKey(token);
      const reason = latch.isSet(key);
      if (reason === undefined) {
        say(`the PIN of token ${token.name} is not latched`);
        return;
      }
      latch.clear(key);
      say(`the PIN of token ${token.name} may be offered again`, [`it was refused before: ${reason}`]);
    });
}

/** The named token, or the only one. */
function chooseToken(config: Config, name: string | undefined): TokenConfig {
  const names = config.tokens.map((token) => token.name).join(', ') || 'none';
  if (name === undefined && config.tokens.length > 1)
    throw new CommandError('there are several tokens', { hints: [`name one with --token: ${names}`] });
  const token = name === undefined ? config.tokens[0] : config.tokens.find((candidate) => candidate.name === name);
  if (token === undefined)
    throw new CommandError(name === undefined ? 'the configuration has no token' : `there is no token '${name}'`, {
      hints: [`tokens of the configuration: ${names}`],
    });
  return token;
}

function text(secret: SecretBytes): string {
  return secret.expose((bytes) => new TextDecoder().decode(bytes));
}
