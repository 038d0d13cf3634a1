/**
 * Makes test/vectors/wycheproof/ from the `testvectors_v1` folder of C2SP/wycheproof, given as the only argument; run with tsx. Of
 * every file it keeps the first tests of each class (same result, same flags) and the members that the tests read. The form
 * stays that of Wycheproof, so that the same tests run on the whole set: HSM_KMS_WYCHEPROOF names its folder.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface VectorFile {
  readonly algorithm?: string;
  readonly numberOfTests: number;
  readonly schema: string;
  readonly testGroups: readonly TestGroup[];
}
interface TestGroup {
  readonly tests: readonly VectorTest[];
  readonly [member: string]: unknown;
}
interface VectorTest {
  readonly tcId: number;
  readonly result: string;
  readonly flags?: readonly string[];
  readonly [member: string]: unknown;
}

const groupMembers = new Set(
  'type source curve encoding publicKeyDer sha mgf mgfSha sLen keySize tagSize ivSize privateKeyPkcs8 privateSeed publicKey parameterSet'.split(
    ' ',
  ),
);
const droppedTestMembers = new Set(['dk']);

/** How many tests of each class are kept, by file, and how many of the long ones in all. */
const keptTests: Readonly<Record<string, number | readonly [perClass: number, inAll: number]>> = {
  ecdsa_secp256r1_sha256_test: 2,
  ecdsa_secp384r1_sha384_test: 2,
  ecdsa_secp521r1_sha512_test: 2,
  ecdsa_secp256k1_sha256_test: 2,
  ed25519_test: 4,
  rsa_signature_2048_sha256_test: 2,
  rsa_signature_3072_sha384_test: 1,
  rsa_signature_4096_sha512_test: 1,
  rsa_pkcs1_2048_sig_gen_test: 3,
  rsa_pkcs1_4096_sig_gen_test: 3,
  rsa_pss_2048_sha256_mgf1_32_test: 4,
  rsa_pss_2048_sha384_mgf1_48_test: 2,
  rsa_pss_4096_sha512_mgf1_64_test: 2,
  rsa_pss_2048_sha256_mgf1_0_test: 2,
  rsa_pss_4096_sha512_mgf1_32_test: 2,
  rsa_pss_2048_sha256_mgf1sha1_20_test: 2,
  rsa_oaep_2048_sha1_mgf1sha1_test: 4,
  rsa_oaep_2048_sha256_mgf1sha256_test: 4,
  rsa_oaep_2048_sha256_mgf1sha1_test: 2,
  rsa_oaep_3072_sha256_mgf1sha256_test: 2,
  rsa_oaep_4096_sha256_mgf1sha256_test: 2,
  ecdh_secp256r1_test: 2,
  ecdh_secp384r1_test: 1,
  ecdh_secp521r1_test: 1,
  hmac_sha224_test: 4,
  hmac_sha256_test: 4,
  hmac_sha384_test: 4,
  hmac_sha512_test: 4,
  aes_gcm_test: 12,
  aes_kwp_test: 12,
  mldsa_44_verify_test: 1,
  mldsa_65_verify_test: [1, 7],
  mldsa_87_verify_test: [1, 7],
  mldsa_44_sign_seed_test: 1,
  mldsa_65_sign_seed_test: [1, 3],
  mldsa_87_sign_seed_test: [1, 3],
  mlkem_512_test: 3,
  mlkem_768_test: [2, 4],
  mlkem_1024_test: [2, 4],
  mlkem_512_keygen_seed_test: 2,
  mlkem_768_keygen_seed_test: 2,
  mlkem_1024_keygen_seed_test: 2,
  mlkem_512_encaps_test: 2,
  mlkem_768_encaps_test: [1, 3],
  mlkem_1024_encaps_test: [1, 3],
};

/** A public key that stands beside its DER is the same key once more. */
function trimGroup(group: TestGroup, tests: readonly VectorTest[]): TestGroup {
  const kept = Object.entries(group).filter(([name]) => groupMembers.has(name) && !(name === 'publicKey' && 'publicKeyDer' in group));
  return { ...Object.fromEntries(kept), tests };
}

function trim(file: VectorFile, perClass: number, inAll: number): VectorFile {
  const seen = new Map<string, number>();
  let keptInAll = 0;
  const isKept = (test: VectorTest, group: TestGroup): boolean => {
    // The service uses AES with keys of 256 bits only, and GCM with IVs of 96 bits.
    if (file.algorithm?.startsWith('AES') && (group['keySize'] !== 256 || (group['ivSize'] ?? 96) !== 96)) return false;
    const sizes = [group['keySize'], group['tagSize'], group['ivSize'], group['sha']];
    // The tests of ML-DSA are long: of them the first flag makes the class.
    const flags = file.schema.startsWith('mldsa') ? test.flags?.[0] : test.flags?.join();
    const keyClass = `${test.result} ${flags} ${sizes.join()}`;
    const count = (seen.get(keyClass) ?? 0) + 1;
    seen.set(keyClass, count);
    if (count > perClass || keptInAll === inAll) return false;
    keptInAll += 1;
    return true;
  };
  const testGroups = file.testGroups.map((group) => {
    const tests = group.tests.filter((test) => isKept(test, group));
    return trimGroup(
      group,
      tests.map(
        (test) => Object.fromEntries(Object.entries(test).filter(([name]) => !droppedTestMembers.has(name))) as unknown as VectorTest,
      ),
    );
  });
  const { algorithm, schema } = file;
  const kept = testGroups.filter(({ tests }) => tests.length > 0);
  return {
    ...(algorithm !== undefined && { algorithm }),
    schema,
    numberOfTests: kept.reduce((sum, { tests }) => sum + tests.length, 0),
    testGroups: kept,
  };
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Give the testvectors_v1 folder of C2SP/wycheproof');
for (const [name, kept] of Object.entries(keptTests)) {
  const [perClass, inAll] = typeof kept === 'number' ? [kept, Infinity] : kept;
  const file = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as VectorFile;
  // One test a line: a changed vector shows in a diff.
  const text = JSON.stringify(trim(file, perClass, inAll))
    .replaceAll('{"tcId"', '\n{"tcId"')
    .replaceAll('},{"type"', '},\n{"type"');
  writeFileSync(join(import.meta.dirname, 'wycheproof', `${name}.json`), `${text}\n`);
}
