/** `hsm-kms bench`: measures the service layer by layer, beside the module itself. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { benchAccount } from '../../bench/access-key.ts';
import { runBench } from '../../bench/bench.ts';
import { layersOf } from '../../bench/layer-titles.ts';
import type { LayerName } from '../../bench/observation.ts';
import { fullPlan, quickPlan } from '../../bench/plan.ts';
import { htmlReport } from '../../bench/report/html-report.ts';
import { jsonReport } from '../../bench/report/json-report.ts';
import { textReport } from '../../bench/report/text-report.ts';
import { allFailures } from '../../bench/results.ts';
import { Site, type Subjected } from '../../bench/site.ts';
import { loadConfig } from '../../config/load-config.ts';
import { makeDevelopmentFiles } from '../development-files.ts';
import { CommandError, exitFailure, printData, say } from '../terminal.ts';

interface BenchFlags {
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly window?: number;
  readonly layers: readonly LayerName[];
  readonly keys: number;
  readonly residency: 'token' | 'wrapped';
  readonly json?: string;
  readonly html?: string;
  readonly config?: string;
}

const roundsMax = 100;
const keysMax = 100_000;
const windowMsMax = 60_000;

const explanation = `
Layers, from the module outwards, all over one token in one run:
  a  the module from C: one session per thread, session key and token key
  b  the addon, module in this process (session and token key)
  c  the addon, module in a token host
  d  the KMS pipeline without HTTP, isolation none and process
  e  the daemon over HTTP with Signature Version 4, load generator in a process of its own; isolation none and process, and TLS
  f  the KMS pipeline with 100, 10,000 and 100,000 keys in the store, and the start of a daemon with them
  g  signatures, MACs, key agreement and RSA: the key store and the KMS pipeline, of the token and in software, beside C and node:crypto
Medians over rounds; ratios are formed within a round. The same doors are measured over a module that sleeps 2 ms in each call and
over one that does nothing.

Without --config a SoftHSM token is made in a temporary folder and removed. With it, the first token and key store of that
configuration are measured: keys are made there and destroyed at the end. The PIN comes from where the configuration says;
a benchmark cannot ask for it.`;

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure every layer of the service beside the module itself')
    .addHelpText('after', explanation)
    .option('--quick', 'about a minute: fewer workloads, shorter rounds')
    .option('--rounds <number>', 'how often everything is measured', wholeNumber(roundsMax))
    .option('--window <ms>', 'how long one measurement lasts', wholeNumber(windowMsMax))
    .option('--layers <letters>', 'layers to measure, for example a,b,d', parseLayers, layersOf('abcdefg'))
    .option('--keys <number>', 'keys in the store while it is measured', wholeNumber(keysMax), 1)
    .option('--residency <residency>', 'keys of the temporary token: token or wrapped', parseResidency, 'token')
    .option('--json <file>', 'write every observation as JSON')
    .option('--html <file>', 'write a page with a chart')
    .option('--config <file>', 'measure the first token of this configuration instead of a temporary one')
    .action(measure);
}

async function measure(flags: BenchFlags): Promise<void> {
  const site = new Site();
  // An interrupted run leaves nothing behind: workers and daemons end when this process does.
  process.once('SIGINT', () => process.exit(exitFailure)).once('SIGTERM', () => process.exit(exitFailure));
  process.once('exit', () => site.remove());
  const results = await runBench({
    ...planOf(flags),
    site,
    subjected: await subjectedOf(flags, site),
    temporaryToken: flags.config === undefined,
    layers: flags.layers,
    keys: flags.keys,
    onProgress,
  });
  endProgress();
  if (flags.json !== undefined) writeFileSync(resolve(flags.json), jsonReport(results));
  if (flags.html !== undefined) writeFileSync(resolve(flags.html), htmlReport(results));
  printData(textReport(results).trimEnd());
  const failures = allFailures(results).length;
  if (failures > 0) throw new CommandError(`${failures} measurements failed: see the lines that begin with FAILED`);
}

function planOf(flags: BenchFlags): typeof fullPlan {
  const plan = flags.quick === true ? quickPlan : fullPlan;
  return { ...plan, rounds: flags.rounds ?? plan.rounds, windowMs: flags.window ?? plan.windowMs };
}

/** The token of the configuration, or one that lives in the site's folder. */
async function subjectedOf(flags: BenchFlags, site: Site): Promise<Subjected> {
  const data = join(site.directory, 'token');
  if (flags.config === undefined) {
    onProgress('making a token');
    await makeDevelopmentFiles({
      dataDirectory: data,
      store: 'softhsm',
      residency: flags.residency,
      suite: 'measured',
      account: benchAccount,
    });
  }
  const config = loadConfig(flags.config === undefined ? { data } : { config: flags.config });
  const [token] = config.tokens;
  const keyStore = config.keyStores.find((store) => store.kind === 'pkcs11' && store.token === token?.name);
  if (token !== undefined && keyStore !== undefined) return { token, keyStore };
  throw new CommandError('the configuration has no token with a key store', {
    hints: ['measure without --config, or name a configuration that has one'],
  });
}

const lineColumns = 100;

function onProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.slice(0, lineColumns).padEnd(lineColumns)}`);
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\n');
  else say('measured');
}

function parseLayers(letters: string): readonly LayerName[] {
  const layers = layersOf(letters);
  if (layers.length > 0 && /^[a-g](,?[a-g])*$/.test(letters)) return layers;
  throw new InvalidArgumentError('Letters from a to g are needed, for example a,b,d.');
}

function parseResidency(text: string): 'token' | 'wrapped' {
  if (text === 'token' || text === 'wrapped') return text;
  throw new InvalidArgumentError('Allowed: token, wrapped.');
}

function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
    throw new InvalidArgumentError(`A whole number from 1 to ${max} is needed.`);
  };
}
