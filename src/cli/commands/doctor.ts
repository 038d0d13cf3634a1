/** `hsm-kms doctor`: goes through everything a daemon needs, one by one, and says what is wrong and how to put it right. */
import { Command } from 'commander';
import { loadConfig } from '../../config/load-config.ts';
import { examine, type Finding } from '../examination.ts';
import { configFlags, withConfigOptions } from '../options.ts';
import { CommandError, printData, printJson } from '../terminal.ts';

const explanation = `
Works beside a running daemon and changes nothing, except that it logs in to the token once with the configured PIN. It does
not try a PIN that the token has refused before.`;

const marks: Readonly<Record<Finding['verdict'], string>> = { right: 'ok  ', note: 'note', wrong: 'FAIL' };

export function doctorCommand(): Command {
  return withConfigOptions(new Command('doctor'))
    .description('check module, token, PIN, capabilities, custody and files, and say what to fix')
    .addHelpText('after', explanation)
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }, command: Command) => {
      const findings: Finding[] = [];
      for await (const finding of examine(loadConfig(configFlags(command)))) {
        findings.push(finding);
        if (options.json !== true) printData(findingText(finding));
      }
      if (options.json === true) printJson(findings);
      const wrong = findings.filter((finding) => finding.verdict === 'wrong').length;
      if (wrong > 0) throw new CommandError(`${wrong} of ${findings.length} checks found something wrong`);
    });
}

function findingText({ verdict, subject, words, remedy }: Finding): string {
  const advice = remedy === undefined ? '' : `\n          fix: ${remedy}`;
  return `${marks[verdict]}  ${subject}: ${words}${advice}`;
}
