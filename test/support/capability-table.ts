/** README's table of what is done where, made from what open key stores say of themselves. */
import { keySpecs } from '../../src/keys/algorithms.ts';
import type { KeyUsage } from '../../src/keys/key-record.ts';
import type { KeyStore } from '../../src/keystore/keystore.ts';

/** A column: its head, and the store that fills it. */
export interface Column {
  readonly name: string;
  readonly store: KeyStore;
}

/** Operations on the secret half of a key, by its usage; and those that its public half or no half at all is enough for. */
const secretOperations: Readonly<Record<KeyUsage, readonly string[]>> = {
  ENCRYPT_DECRYPT: ['Decrypt', 'ReEncrypt from'],
  SIGN_VERIFY: ['Sign'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret'],
  ENCAPSULATE_DECAPSULATE: ['Decapsulate'],
};
const publicOperations: Readonly<Partial<Record<KeyUsage, readonly string[]>>> = {
  ENCRYPT_DECRYPT: ['Encrypt', 'ReEncrypt to'],
  SIGN_VERIFY: ['Verify'],
  ENCAPSULATE_DECAPSULATE: ['Encapsulate'],
};
const symmetricOperations = [
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
];

interface TableRow {
  /** Specs with this row. */
  readonly specs: string[];
  readonly what: string;
  readonly cells: readonly string[];
}

/** The table as Markdown lines, specs with equal rows together. Reasons of refusals are numbered below it. */
export function capabilityTable(columns: readonly Column[]): readonly string[] {
  const reasons: string[] = [];
  const rows: TableRow[] = [];
  for (const row of [...keySpecs.keys()].flatMap((keySpec) => rowsOf(keySpec, columns, reasons))) {
    const equal = rows.find((other) => other.what === row.what && other.cells.join() === row.cells.join());
    if (equal === undefined) rows.push(row);
    else equal.specs.push(...row.specs);
  }
  return [
    `| key spec | operation, algorithm | ${columns.map(({ name }) => name).join(' | ')} |`,
    `| --- | --- | ${columns.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${row.specs.join(', ')} | ${row.what} | ${row.cells.join(' | ')} |`),
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
  ];
}

function rowsOf(keySpec: string, columns: readonly Column[], reasons: string[]): TableRow[] {
  const row = keySpecs.get(keySpec);
  const usages = Object.entries(row?.algorithms ?? {}) as [KeyUsage, readonly string[]][];
  return usages.flatMap(([usage, algorithms]) => {
    const secret = groupedByCells(algorithms, (algorithm) => columns.map(({ store }) => cellOf(store, keySpec, usage, algorithm, reasons)));
    const operations = row?.family === 'symmetric' ? symmetricOperations : secretOperations[usage];
    const secretRows = secret.map(({ names, cells }) => ({
      specs: [keySpec],
      what: `${operations.join(', ')}: ${names.join(', ')}`,
      cells,
    }));
    const publicNames = row?.family === 'asymmetric' ? publicOperations[usage] : undefined;
    if (publicNames === undefined) return secretRows;
    // The public half is used in this process, wherever the key is, so there is a cell where there can be a key.
    const cells = columns.map(({ store }) => (store.describe().keySpecs?.includes(keySpec) === true ? 'software' : '-'));
    return [...secretRows, { specs: [keySpec], what: `${publicNames.join(', ')}, GetPublicKey`, cells }];
  });
}

function cellOf(store: KeyStore, keySpec: string, keyUsage: KeyUsage, algorithm: string, reasons: string[]): string {
  const served = store
    .algorithms?.()
    .find((entry) => entry.keySpec === keySpec && entry.keyUsage === keyUsage && entry.algorithm === algorithm);
  if (served === undefined) throw new Error(`${store.name} says nothing of ${algorithm} with ${keySpec}`);
  if (served.how === 'token') return 'in token';
  if (served.how !== 'refused') return served.how;
  const reason = withoutKey(served.reason ?? 'no reason given');
  if (!reasons.includes(reason)) reasons.push(reason);
  return `refused (${reasons.indexOf(reason) + 1})`;
}

/** The reason without the spec and usage that it is told of, so that equal reasons are equal. */
function withoutKey(reason: string): string {
  return reason.replace(/^The token cannot serve keys of spec \w+ for \w+: /, '').replace(/ for keys of spec \w+$/, '');
}

function groupedByCells(
  algorithms: readonly string[],
  cellsOf: (algorithm: string) => readonly string[],
): readonly { readonly names: string[]; readonly cells: readonly string[] }[] {
  const groups: { names: string[]; cells: readonly string[] }[] = [];
  for (const algorithm of algorithms) {
    const cells = cellsOf(algorithm);
    const group = groups.find((other) => other.cells.join() === cells.join());
    if (group === undefined) groups.push({ names: [algorithm], cells });
    else group.names.push(algorithm);
  }
  return groups;
}
