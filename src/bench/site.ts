/**
 * The place of one run: a temporary folder with a configuration for each variant that is measured, all over the same token. Everything
 * in it is removed at the end.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config, SecretReference, TokenConfig } from '../config/config.ts';

/** What is measured: a token and the key store that stands on it. */
export interface Subjected {
  readonly token: TokenConfig;
  readonly keyStore: Config['keyStores'][number];
}

/** One configuration. */
export interface Variant {
  readonly name: string;
  readonly isolation: TokenConfig['isolation'];
  readonly tls?: Config['listener']['tls'];
  /** What differs from the token as it was given. */
  readonly token?: Partial<TokenConfig>;
}

const REGION = 'us-east-1';
const PRIVATE_FILE = 0o600;

export class Site {
  readonly directory: string;
  readonly region: string = REGION;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'hsm-kms-bench-'));
  }

  /** Writes the configuration file of a variant and returns its path. Its data directory stands beside it. */
  writeConfig(subjected: Subjected, variant: Variant, credentialsFile: string): string {
    const { profile: _, ...token } = { ...subjected.token, ...variant.token, isolation: variant.isolation };
    mkdirSync(this.dataDirectory(variant.name), { recursive: true });
    return this.#writeConfig(variant, credentialsFile, [{ ...token, pin: referenceText(token.pin) }], subjected.keyStore);
  }

  /** The same for a software key store with a root key of its own. */
  writeSoftwareConfig(name: string, credentialsFile: string): string {
    mkdirSync(this.dataDirectory(name), { recursive: true });
    const rootKey = { file: join(this.dataDirectory(name), 'root.key') };
    return this.#writeConfig({ name }, credentialsFile, [], { kind: 'software', name: 'software', rootKey });
  }

  #writeConfig(
    { name, tls }: Pick<Variant, 'name' | 'tls'>,
    credentialsFile: string,
    tokens: readonly object[],
    keyStore: { readonly name: string; readonly [member: string]: unknown },
  ): string {
    const config = {
      dataDirectory: this.dataDirectory(name),
      listener: { host: '127.0.0.1', port: 0, tls },
      auth: { mode: 'sigv4', credentialsFile },
      tokens,
      keyStores: [keyStore],
      regions: [{ region: REGION, keyStore: keyStore.name }],
      log: { level: 'warn' },
    };
    // JSON is YAML, and leaves out what is undefined.
    return this.writeFile(`${name}.yaml`, JSON.stringify(config, null, 2));
  }

  dataDirectory(variantName: string): string {
    return join(this.directory, variantName);
  }

  hasData(variantName: string): boolean {
    return existsSync(this.dataDirectory(variantName));
  }

  /** Gives a variant the keys of another one, which must be closed. */
  copyData(from: string, to: string): void {
    cpSync(this.dataDirectory(from), this.dataDirectory(to), { recursive: true });
  }

  /** Writes a file that only this user can read. */
  writeFile(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text, { mode: PRIVATE_FILE });
    return path;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A reference as a configuration file writes it. */
function referenceText(reference: SecretReference): unknown {
  if (reference.kind === 'file') return { file: reference.path };
  if (reference.kind === 'env') return { env: reference.variable };
  return reference.kind === 'credential' ? { credential: reference.name } : 'prompt';
}
