/**
 * The file of access keys: YAML (or JSON, which is YAML), read once, private to its owner. Complaints give file and line and never
 * repeat what stands there, because it may be a secret.
 *
 *     credentials:
 *       - accessKeyId: AKIAEXAMPLEEXAMPLE01
 *         secretAccessKey: ...
 *         principalArn: arn:aws:iam::111122223333:user/alice
 */
import { z } from 'zod';
import { SecretBytes } from '../secret-bytes.ts';
import type { Credential, CredentialSource } from './credentials.ts';
import { readSecretFile } from './secret-source.ts';
import { ConfigError, type ConfigProblem, type YamlSource, configError, parseYamlSource, validateSource } from './yaml-source.ts';

const fileBytesMax = 1_048_576;
/** As in IAM: two, so that one can be replaced while the other is in use. */
const accessKeysPerPrincipalMax = 2;

const principalPattern =
  /^arn:(aws|aws-cn|aws-us-gov):(?:iam|sts)::(\d{12}):(?:root|(?:user|role|assumed-role|federated-user)\/[\w+=,.@/-]{1,512})$/;

const entrySchema = z.strictObject(
  {
    accessKeyId: matching(/^\w{16,128}$/, 'accessKeyId: 16 to 128 letters, digits or underscores'),
    secretAccessKey: matching(/^[\x21-\x7e]{16,128}$/, 'secretAccessKey: 16 to 128 printable characters without blanks (quote it in YAML)'),
    principalArn: matching(principalPattern, 'principalArn: an ARN such as arn:aws:iam::111122223333:user/alice'),
    sessionToken: matching(/^[\x21-\x7e]{16,4096}$/, 'sessionToken: 16 to 4096 printable characters without blanks').optional(),
  },
  { error: 'expected a map with the keys accessKeyId, secretAccessKey, principalArn and, for temporary credentials, sessionToken' },
);
const fileSchema = z.strictObject(
  { credentials: z.array(entrySchema, { error: 'expected a list of access keys' }) },
  { error: 'expected a map with the one key credentials' },
);

type Entry = z.infer<typeof entrySchema>;

/**
 * Reads a credentials file. Throws Error when it cannot be read or other users could read it, ConfigError with every problem in it.
 */
export function readCredentialsFile(path: string): CredentialSource {
  const content = readSecretFile(path, 'access keys', fileBytesMax);
  const source = parse(
    path,
    content.expose((bytes) => new TextDecoder().decode(bytes)),
  );
  content.wipe();
  const { credentials: entries } = validateSource(source, fileSchema);
  const problems = [...repeatedIds(entries, source), ...crowdedPrincipals(entries, source)];
  if (problems.length > 0) throw new ConfigError(problems);
  const byId = new Map(entries.map((entry) => [entry.accessKeyId, credentialOf(entry)]));
  return { find: (accessKeyId) => byId.get(accessKeyId) };
}

function matching(pattern: RegExp, allowed: string): z.ZodString {
  return z.string({ error: `expected ${allowed}` }).regex(pattern, { error: `expected ${allowed}` });
}

/** The parser's own words can quote the file, so only its line numbers are kept. */
function parse(path: string, text: string): YamlSource {
  try {
    return parseYamlSource(path, text);
  } catch (error) {
    const lines = error instanceof ConfigError ? error.problems.map(({ line }) => line) : [];
    throw configError(path, 'not valid YAML; put values with special characters in quotes', lines[0]);
  }
}

function repeatedIds(entries: readonly Entry[], source: YamlSource): ConfigProblem[] {
  const first = new Map<string, number>();
  const problems: ConfigProblem[] = [];
  for (const [i, { accessKeyId }] of entries.entries()) {
    const earlier = first.get(accessKeyId);
    if (earlier === undefined) first.set(accessKeyId, i);
    else problems.push(problem(source, i, `the access key id is already used on line ${source.lineOf(['credentials', earlier]) ?? 1}`));
  }
  return problems;
}

function crowdedPrincipals(entries: readonly Entry[], source: YamlSource): ConfigProblem[] {
  const counts = new Map<string, number>();
  const problems: ConfigProblem[] = [];
  for (const [i, { principalArn }] of entries.entries()) {
    const count = (counts.get(principalArn) ?? 0) + 1;
    counts.set(principalArn, count);
    if (count > accessKeysPerPrincipalMax) problems.push(problem(source, i, 'a principal has at most two access keys; remove one'));
  }
  return problems;
}

function problem(source: YamlSource, entry: number, message: string): ConfigProblem {
  return { file: source.file, line: source.lineOf(['credentials', entry]), message };
}

function credentialOf(entry: Entry): Credential {
  const [, partition = '', account = ''] = principalPattern.exec(entry.principalArn) ?? [];
  const { accessKeyId, principalArn, sessionToken } = entry;
  return {
    accessKeyId,
    secret: SecretBytes.fromText(entry.secretAccessKey),
    principalArn,
    partition,
    account,
    ...(sessionToken === undefined ? {} : { sessionToken: SecretBytes.fromText(sessionToken) }),
  };
}
