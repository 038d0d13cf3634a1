/** Clients of the KMS API that know nothing of this project, behind one function: the AWS SDK for JavaScript, boto3 and the AWS CLI. */
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as sdk from '@aws-sdk/client-kms';

const PYTHON = '/usr/bin/python3';
const AWS_CLI = '/usr/bin/aws';
const CLI_MODEL = '/usr/lib/python3/dist-packages/awscli/botocore/data/kms/2014-11-01/service-2.json';
const BOTO3_PROGRAM = fileURLToPath(new URL('boto3-client.py', import.meta.url));
const outputBytesMax = 1_048_576;

/** Members of input or output; blobs are Uint8Array, never Buffer (which turns into something else in JSON). */
export type Members = Readonly<Record<string, unknown>>;

/** An error that the service answered. */
export class AnsweredError extends Error {
  override readonly name = 'AnsweredError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface KmsClient {
  /** Every operation of the model that the client came with. */
  readonly operations: readonly string[];
  /** Rejects with AnsweredError when the service refuses. */
  call(operation: string, input: Members): Promise<Members>;
  close(): void;
}

export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

type SdkCommand = new (input: Members) => Parameters<sdk.KMSClient['send']>[0];

/** The newest AWS SDK for JavaScript. */
export function sdkClient({ endpoint, region, accessKeyId, secretAccessKey }: ClientSettings): KmsClient {
  const client = new sdk.KMSClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 });
  const commands = Object.entries(sdk).filter(([name]) => /^[A-Z]\w+Command$/.test(name)) as unknown as [string, SdkCommand][];
  const byOperation = new Map(commands.map(([name, command]) => [name.slice(0, -'Command'.length), command]));
  return {
    operations: [...byOperation.keys()],
    call: async (operation, input) => {
      const Command = byOperation.get(operation);
      if (Command === undefined) throw new Error(`the SDK has no operation ${operation}`);
      try {
        return (await client.send(new Command(input))) as unknown as Members;
      } catch (error) {
        throw error instanceof sdk.KMSServiceException ? new AnsweredError(error.name, error.message) : error;
      }
    },
    close: () => client.destroy(),
  };
}

/** boto3 of Debian, in a process of its own. */
export async function boto3Client(settings: ClientSettings): Promise<KmsClient> {
  const child = spawn(PYTHON, [BOTO3_PROGRAM, settings.endpoint], { env: environmentOf(settings), stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('boto3 ended');
    return value;
  };
  const operations = JSON.parse(await nextLine()) as string[];
  return {
    operations,
    call: async (operation, input) => {
      child.stdin.write(`${JSON.stringify({ operation, input }, (_name, value: unknown) => tagged(value))}\n`);
      const reply = JSON.parse(await nextLine(), (_name, value: unknown) => untagged(value)) as {
        output: Members;
        code?: string;
        message: string;
      };
      if (reply.code !== undefined) throw new AnsweredError(reply.code, reply.message);
      return reply.output;
    },
    close: () => {
      child.stdin.end();
      child.kill();
    },
  };
}

/** The AWS CLI of Debian, one process for each call. */
export function cliClient(settings: ClientSettings): KmsClient {
  const { operations } = JSON.parse(readFileSync(CLI_MODEL, 'utf8')) as { operations: Record<string, unknown> };
  return {
    operations: Object.keys(operations),
    call: async (operation, input) => {
      const json = JSON.stringify(input, (_name, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
      );
      const words = [
        '--endpoint-url',
        settings.endpoint,
        'kms',
        kebab(operation),
        '--cli-input-json',
        json,
        '--no-paginate',
        '--output',
        'json',
      ];
      const { stdout, stderr } = await run(AWS_CLI, words, environmentOf(settings));
      const refused = /An error occurred \((\w+)\) when calling the \w+ operation[^:]*: ?([\s\S]*)/.exec(stderr);
      if (refused !== null) throw new AnsweredError(refused[1] ?? '', refused[2]?.trim() ?? '');
      if (stderr !== '') throw new Error(`aws kms ${kebab(operation)}: ${stderr}`);
      return stdout.trim() === '' ? {} : (JSON.parse(stdout, decodedBlob) as Members);
    },
    close: () => {},
  };
}

function environmentOf({ region, accessKeyId, secretAccessKey }: ClientSettings): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/bin:/bin',
    HOME: '/nonexistent',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_DEFAULT_REGION: region,
    AWS_MAX_ATTEMPTS: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

function run(program: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, words, { env, maxBuffer: outputBytesMax }, (_error, stdout, stderr) => resolve({ stdout, stderr }));
  });
}

function kebab(operation: string): string {
  return operation.replaceAll(/(?!^)([A-Z])/g, '-$1').toLowerCase();
}

function tagged(value: unknown): unknown {
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : value;
}

function untagged(value: unknown): unknown {
  const bytes = typeof value === 'object' && value !== null ? (value as { bytes?: unknown }).bytes : undefined;
  return typeof bytes === 'string' ? Uint8Array.from(Buffer.from(bytes, 'base64')) : value;
}

const blobs: ReadonlySet<string> = new Set([
  'CiphertextBlob',
  'ImportToken',
  'Mac',
  'Plaintext',
  'PrivateKeyCiphertextBlob',
  'PrivateKeyPlaintext',
  'PublicKey',
  'SharedSecret',
  'Signature',
]);

function decodedBlob(name: string, value: unknown): unknown {
  return blobs.has(name) && typeof value === 'string' ? Uint8Array.from(Buffer.from(value, 'base64')) : value;
}
