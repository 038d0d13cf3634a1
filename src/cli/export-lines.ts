/** The lines that make a shell talk to this daemon: for the AWS CLI and every AWS SDK. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { parseYamlSource } from '../config/yaml-source.ts';
import { CommandError } from './terminal.ts';

interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Any credential serves the emulator; this one is account 000000000000. */
const emulatorKey: AccessKey = { accessKeyId: 'test', secretAccessKey: 'test' };

/** `export` lines with the first access key of the credentials file, to paste into a shell. */
export function exportLines(url: string, config: Config): string {
  const { accessKeyId, secretAccessKey } = config.auth.mode === 'emulator' ? emulatorKey : firstAccessKey(config.auth.credentialsFile);
  return [
    `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY='${secretAccessKey.replaceAll("'", `'\\''`)}'`,
    `export AWS_DEFAULT_REGION=${config.regions[0]?.region ?? 'us-east-1'}`,
    `export AWS_ENDPOINT_URL_KMS=${url}`,
    `export AWS_ENDPOINT_URL=${url}`,
    `# AWS CLI before 2.13 (Debian 12 has 2.9) does not read AWS_ENDPOINT_URL; for it, paste this line too:`,
    `alias aws='aws --endpoint-url ${url}'`,
  ].join('\n');
}

/** The daemon has read and checked the file before. */
function firstAccessKey(file: string | undefined): AccessKey {
  const { credentials } = parseYamlSource(file ?? '', readFileSync(file ?? '', 'utf8')).value as { credentials: readonly AccessKey[] };
  const [first] = credentials;
  if (first === undefined) throw new CommandError(`there is no access key in ${file ?? ''}`);
  return first;
}
