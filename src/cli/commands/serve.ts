/** `hsm-kms serve`: runs the daemon in the foreground. */
import { Command } from 'commander';
import { loadConfig } from '../../config/load-config.ts';
import { runDaemon } from '../../daemon/main.ts';
import { askSecret } from '../ask-secret.ts';
import { exportLines } from '../export-lines.ts';
import { configFlags, withServeOptions } from '../options.ts';
import { printData } from '../terminal.ts';

const explanation = `
Ready is one line on standard output: hsm-kms listening on http://127.0.0.1:4599
The log goes to standard error as JSON lines. SIGTERM and SIGINT end the daemon once the requests in flight are answered;
a second signal ends it at once.`;

export function serveCommand(): Command {
  return withServeOptions(new Command('serve'))
    .description('run the daemon in the foreground')
    .addHelpText('after', explanation)
    .option('--confirm-clock', 'the time of this machine is right: go on with key deletions that a jump of the clock has paused')
    .option('--print-exports', 'print the export lines with which the AWS CLI and SDKs find this daemon; they hold the secret access key')
    .action(async (options: { printExports?: boolean; confirmClock?: boolean }, command: Command) => {
      const config = loadConfig(configFlags(command));
      await runDaemon(config, {
        clockConfirmed: options.confirmClock === true,
        secrets: { environment: process.env, prompt: askSecret },
        announce: (url) => {
          if (options.printExports === true) printData(exportLines(url, config));
          printData(`hsm-kms listening on ${url}`);
        },
      });
    });
}
