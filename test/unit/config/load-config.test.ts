/** The configuration file: what is refused, with which line and which advice, and what a complete one becomes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, readConfigFile } from '../../../src/config/load-config.ts';
import { ConfigError } from '../../../src/config/yaml-source.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsm-kms-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const minimal = `tokens:
  - name: main
    module: ./module.so
    label: kms
    pin: { file: pin }
keyStores:
  - name: hsm
    kind: pkcs11
    token: main
regions:
  - region: us-east-1
    keyStore: hsm
`;

/** A software key store with these pins, beside another one and one in a token. */
function pinning(pins: string): string {
  const pinned = `  - { kind: software, name: eu, transport: { pins: [${pins}] } }`;
  return minimal.replace('keyStores:', `keyStores:\n${pinned}\n  - { kind: software, name: us }`);
}

function write(text: string, name = 'config.yaml'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The complaints about `text`, without the folder. */
function complaints(text: string): string {
  try {
    readConfigFile(write(text));
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  throw new Error('the configuration was accepted');
}

describe('a configuration file', () => {
  it('is completed with defaults, its paths made absolute from its own directory, and frozen', () => {
    const config = readConfigFile(write(minimal));
    expect(config.dataDirectory).toBe(folder);
    expect(config.listener).toEqual({ host: '127.0.0.1', port: 4_599, tls: undefined });
    expect(config.auth).toEqual({ mode: 'sigv4', credentialsFile: join(folder, 'credentials.yaml') });
    expect(config.tokens[0]).toMatchObject({
      module: join(folder, 'module.so'),
      pin: { kind: 'file', path: join(folder, 'pin') },
      isolation: 'process',
    });
    expect(config.keyStores[0]).toMatchObject({ residency: 'token', suite: 'measured', custody: 'full' });
    expect(config.anyRegion).toBe(false);
    expect(Object.isFrozen(config.tokens[0]?.threads)).toBe(true);
  });

  it('refuses an unknown key with its line and the keys that are allowed', () => {
    expect(complaints(`${minimal}log:\n  colour: red\n`)).toBe("config.yaml:14: log: unknown key 'colour'; allowed here: level");
  });

  it('refuses a bad value with its line and what is allowed', () => {
    expect(complaints(`listener:\n  port: 70000\n${minimal}`)).toBe(
      'config.yaml:2: listener.port: 70000 is not allowed; allowed: a whole number from 0 to 65535',
    );
    expect(complaints(minimal.replace('    token: main', '    token: main\n    custody: none'))).toBe(
      "config.yaml:10: keyStores.0.custody: 'none' is not allowed; allowed: full, reduced",
    );
  });

  it('refuses a PIN that is written into the file and does not repeat it', () => {
    const text = complaints(minimal.replace('{ file: pin }', 'hunter2hunter2'));
    expect(text).toMatch(/^config\.yaml:5: tokens\.0\.pin: expected a reference to a secret/);
    expect(text).not.toContain('hunter2');
  });

  it('reports every problem of the file at once', () => {
    expect(complaints(`${minimal}auth: { mode: open }\nanyRegion: perhaps\n`).split('\n')).toEqual([
      "config.yaml:13: auth.mode: 'open' is not allowed; allowed: sigv4, emulator",
      "config.yaml:14: anyRegion: 'perhaps' is not allowed; allowed: true, false",
    ]);
  });

  it('refuses names that are used twice or used and not defined', () => {
    expect(complaints(minimal.replace('token: main', 'token: other'))).toBe(
      "config.yaml:9: keyStores.0.token: 'other' is not the name of an entry of tokens; allowed: main",
    );
    expect(complaints(minimal.replace('keyStore: hsm', 'keyStore: vault'))).toContain(
      "'vault' is not the name of an entry of keyStores; allowed: hsm",
    );
    expect(complaints(`${minimal}  - region: us-east-1\n    keyStore: hsm\n`)).toContain(
      "config.yaml:13: regions.1.region: 'us-east-1' is there twice",
    );
  });

  it('names a software key store for a Region that may fall back, and nothing else', () => {
    const software = minimal.replace('keyStores:', 'keyStores:\n  - { kind: software, name: soft }');
    const region = (more: string): string => software.replace('    keyStore: hsm', `    keyStore: hsm\n${more}`);
    const accepted = readConfigFile(write(region('    fallback: unsupported\n    fallbackKeyStore: soft')));
    expect(accepted.regions[0]).toEqual({ region: 'us-east-1', keyStore: 'hsm', fallbackKeyStore: 'soft' });
    expect(complaints(region('    fallback: unsupported'))).toContain('needs the name of a software key store');
    expect(complaints(region('    fallback: unsupported\n    fallbackKeyStore: hsm'))).toContain('allowed: soft');
    expect(complaints(region('    fallbackKeyStore: soft'))).toContain('fallback is never here');
  });

  it('names another key store and a fingerprint in a pin', () => {
    const fingerprint = '0a'.repeat(32);
    const pin = `{ keyStore: us, fingerprint: ${fingerprint} }`;
    expect(readConfigFile(write(pinning(pin))).keyStores[0]).toMatchObject({ transport: { pins: [{ keyStore: 'us', fingerprint }] } });
    expect(complaints(pinning(pin.replace('us,', 'eu,')))).toContain('a key store needs no pin of itself');
    for (const other of ['hsm', 'nowhere']) expect(complaints(pinning(pin.replace('us,', `${other},`)))).toContain('allowed: us');
    for (const wrong of [fingerprint.toUpperCase(), fingerprint.slice(1), `${fingerprint}0`, `'${fingerprint.slice(2)} 0'`]) {
      expect(complaints(pinning(pin.replace(fingerprint, wrong)))).toContain('as hsm-kms keys transport prints it');
    }
    expect(complaints(pinning('{ keyStore: us }'))).toContain('expected a fingerprint');
    expect(complaints(pinning(`${pin}, ${pin}`))).toContain("'us' is there twice");
  });

  it('gives an account a key store under the id of a cluster, with paths beside the file', () => {
    const cluster = (changes = ''): string =>
      `${minimal}customKeyStores:\n  - clusterId: cluster-2a34b5cdefg\n    account: "111122223333"\n    region: us-east-1\n    keyStore: hsm\n` +
      `    trustAnchorFile: ca.crt\n    password: { file: kmsuser }\n${changes}`;
    const file = write(cluster());
    expect(readConfigFile(file).customKeyStores).toEqual([
      {
        clusterId: 'cluster-2a34b5cdefg',
        account: '111122223333',
        region: 'us-east-1',
        keyStore: 'hsm',
        trustAnchorFile: join(dirname(file), 'ca.crt'),
        password: { kind: 'file', path: join(dirname(file), 'kmsuser') },
      },
    ]);
    expect(readConfigFile(write(minimal)).customKeyStores).toEqual([]);
    expect(complaints(cluster().replace('keyStore: hsm\n    trust', 'keyStore: vault\n    trust'))).toContain("'vault' is not the name");
    expect(complaints(cluster().replace('"111122223333"', '111122223333'))).toContain('12 digits, in quotes');
    expect(complaints(cluster().replace('cluster-2a34b5cdefg', 'cluster-1'))).toContain('expected cluster- and');
    expect(complaints(cluster(cluster().slice(cluster().indexOf('  - clusterId'))))).toContain('is there twice');
  });

  it('refuses a token that is named by label and serial, or by neither', () => {
    expect(complaints(minimal.replace('label: kms', 'label: kms\n    serial: "01"'))).toContain('exactly one of label and serial');
    expect(complaints(minimal.replace('    label: kms\n', ''))).toContain('exactly one of label and serial');
  });

  it('refuses duplicate keys and broken YAML with the line', () => {
    expect(complaints(`${minimal}anyRegion: true\nanyRegion: false\n`)).toMatch(/^config\.yaml:14: Map keys must be unique/);
    expect(complaints('tokens: [')).toMatch(/^config\.yaml:\d+: /);
  });

  it('names the profiles there are when it asks for one there is not', () => {
    expect(complaints(minimal.replace('label: kms', 'label: kms\n    profile: nonesuch'))).toMatch(
      /^config\.yaml:5: tokens\.0: .*no such profile; allowed: /,
    );
  });

  it('merges a profile under the settings of the token, member by member', () => {
    write('module: [/nowhere/a.so, ./b.so]\nthreads: { fast: 9, slow: 3 }\nenvironment: { A: one, B: one }\n', 'mine.yaml');
    const file = write(
      minimal.replace('    module: ./module.so\n', '    profile: mine.yaml\n    threads: { fast: 4 }\n    environment: { B: two }\n'),
    );
    const [token] = readConfigFile(file).tokens;
    expect(token).toMatchObject({ module: '/nowhere/a.so', threads: { fast: 4, anchor: 1, slow: 3 }, environment: { A: 'one', B: 'two' } });
  });
});

describe('finding the configuration', () => {
  it('takes config.yaml of the data directory', () => {
    write(minimal);
    expect(loadConfig({ data: folder }).keyStores).toHaveLength(1);
  });

  it('needs no file for the software store', () => {
    const config = loadConfig({ data: folder, store: 'software' });
    expect(config).toMatchObject({
      dataDirectory: folder,
      tokens: [],
      anyRegion: true,
      regions: [{ region: 'us-east-1', keyStore: 'software' }],
    });
    const rootKey = { kind: 'file', path: join(folder, 'root.key') };
    expect(config.keyStores).toEqual([{ kind: 'software', name: 'software', rootKey, transport: { pins: [] } }]);
  });

  it('says how to make one where there is none', () => {
    expect(() => loadConfig({ data: folder })).toThrow(/config\.yaml: no such file; make one with scripts\/start or hsm-kms setup/);
  });
});
