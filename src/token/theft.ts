/**
 * What could somebody do who has stolen the PIN (and perhaps the database)? Tried on keys made for it, with the templates of the real
 * ones. Using keys inside the token while it is logged in cannot be prevented by any template, so it is not tried.
 */
import type { TokenConfig } from '../config/config.ts';
import { callClasses } from './call-classes.ts';
import { copiesWeaker, unwrapsReadable, wayOut } from './capabilities/custody-probes.ts';
import type { WrappedKey } from './capabilities/custody-probes.ts';
import { ProbeBench, succeeds } from './capabilities/probe-bench.ts';
import { measureKwp } from './capabilities/wrap-probes.ts';
import { Connection } from './connection.ts';
import type { CreatedObject, ObjectHandle } from './cryptoki.ts';
import type { Mechanism, Template } from './mechanism.ts';
import { openConfiguredCryptoki } from './open-token.ts';
import type { TokenDependencies } from './open-token.ts';
import { OPTIONAL_ATTRIBUTES, tokenMaterial, without, wrappableMaterial, wrappingKey } from './templates.ts';
import { throwTokenError } from './token-error.ts';

/** One thing that was tried. */
export interface TheftAttempt {
  readonly attempt: string;
  readonly succeeded: boolean;
  /** What it means when it succeeds. */
  readonly explanation: string;
}

const NAMES = { id: new Uint8Array(16), label: 'hsm-kms theft probe' };
const DATA = new Uint8Array(32).fill(1);
const DERIVATIONS: readonly Mechanism[] = [
  { name: 'AES_CBC_ENCRYPT_DATA', iv: new Uint8Array(16), data: DATA },
  { name: 'AES_ECB_ENCRYPT_DATA', data: DATA },
  { name: 'SP800_108_COUNTER_KDF', prf: 'SHA256_HMAC', counterBits: 32, fixedInput: DATA },
];

/** Tries everything over a connection of its own. Rejects with TokenError when the token does not answer. */
export async function measureTheft(
  config: TokenConfig,
  dependencies: Pick<TokenDependencies, 'log' | 'pin' | 'pinLatch' | 'openCryptoki'>,
): Promise<readonly TheftAttempt[]> {
  const calls = callClasses(config.deadlinesMs);
  const { openCryptoki = openConfiguredCryptoki, ...rest } = dependencies;
  const connection = await Connection.open({ ...rest, config, calls, openCryptoki });
  const bench = new ProbeBench(connection.cryptoki, calls);
  try {
    return await new Thief(bench).tryEverything();
  } catch (error) {
    return throwTokenError(error);
  } finally {
    await bench.clear();
    await connection.cryptoki.close(config.graceMs);
  }
}

class Thief {
  readonly #bench: ProbeBench;

  constructor(bench: ProbeBench) {
    this.#bench = bench;
  }

  async tryEverything(): Promise<TheftAttempt[]> {
    const own = (await this.#bench.generate({ WRAP: true, UNWRAP: true, DECRYPT: true })).handle;
    const attempts: TheftAttempt[] = [];
    for (const use of ['derive', 'encrypt'] as const) {
      const material = (await this.#make(tokenMaterial(use, NAMES))).handle;
      attempts.push(...(await this.#robMaterial(use === 'derive' ? 'a derive-only material' : 'an encrypting material', material, own)));
      if (use === 'derive') attempts.push(await this.#deriveReadable(material));
    }
    const pair = await this.#bench.generatePair({ type: 'ec', curve: 'prime256v1' }, ['SIGN'], { MODIFIABLE: false });
    if (pair !== undefined) attempts.push(...(await this.#robMaterial('a private key', pair.privateKey, own)));
    return [...attempts, ...(await this.#robExported(own))];
  }

  async #robMaterial(what: string, material: ObjectHandle, own: ObjectHandle): Promise<TheftAttempt[]> {
    const bench = this.#bench;
    const { slow, fast } = bench.calls;
    const sets = (template: Template): Promise<boolean> =>
      succeeds(() => bench.cryptoki.setAttributes(material, template, slow).then(() => true));
    const ways = await wayOut(bench, own, material);
    const read = (await bench.cryptoki.getAttributes(material, ['VALUE'], fast)).VALUE;
    const keyBytes = 'the bytes of the key leave the token, for ever';
    return [
      { attempt: `read CKA_VALUE of ${what}`, succeeded: read !== undefined && read.length > 0, explanation: keyBytes },
      {
        attempt: `wrap ${what} out under a key of the thief`,
        succeeded: ways.length > 0,
        explanation: ways.length > 0 ? `${keyBytes} (${ways.join(', ')})` : keyBytes,
      },
      { attempt: `make ${what} not SENSITIVE`, succeeded: await sets({ SENSITIVE: false }), explanation: keyBytes },
      {
        attempt: `make ${what} EXTRACTABLE`,
        succeeded: await sets({ EXTRACTABLE: true }),
        explanation: 'it can then be wrapped out under a key of the thief',
      },
      {
        attempt: `copy ${what} as not SENSITIVE`,
        succeeded: await copiesWeaker(bench, material, { SENSITIVE: false }),
        explanation: keyBytes,
      },
      {
        attempt: `copy ${what} as EXTRACTABLE`,
        succeeded: await copiesWeaker(bench, material, { EXTRACTABLE: true }),
        explanation: 'the copy can then be wrapped out under a key of the thief',
      },
    ];
  }

  /** PKCS#11 v2.40 lets whoever derives choose SENSITIVE of the derived key, unless the base key has CKA_DERIVE_TEMPLATE (v3.0). */
  async #deriveReadable(material: ObjectHandle): Promise<TheftAttempt> {
    let succeeded = false;
    for (const mechanism of DERIVATIONS) {
      succeeded ||= await succeeds(async () => {
        const { attributes } = await this.#bench.derive(mechanism, material, { SENSITIVE: false, EXTRACTABLE: true }, ['VALUE']);
        return attributes.VALUE !== undefined && attributes.VALUE.length > 0;
      });
    }
    const explanation =
      'the thief can derive readable epoch keys while logged in, and open the ciphertexts of those epochs elsewhere; the material itself stays inside';
    return { attempt: 'derive a readable key from a derive-only material', succeeded, explanation };
  }

  /** What the form in the database is worth to somebody who also has the PIN. */
  async #robExported(own: ObjectHandle): Promise<TheftAttempt[]> {
    const bench = this.#bench;
    const ways = await wayOut(bench, own, (await this.#make(wrappableMaterial('derive', NAMES))).handle);
    const exported = await this.#export();
    const explanation = 'materials with residency "wrapped" leave the token: whoever has PIN and database reads them';
    const decrypts = async ({ unwrapping, wrapped }: WrappedKey): Promise<boolean> =>
      succeeds(
        async () => (await bench.cryptoki.decrypt({ name: 'AES_ECB' }, unwrapping, wrapped.subarray(0, 32), bench.calls.fast)).length > 0,
      );
    return [
      {
        attempt: 'wrap a material that is about to be exported out under a key of the thief',
        succeeded: ways.length > 0,
        explanation: 'a new material leaves the token while it is being made',
      },
      {
        attempt: 'unwrap an exported material as readable',
        succeeded: exported !== undefined && (await unwrapsReadable(bench, exported)),
        explanation,
      },
      {
        attempt: 'decrypt an exported material as if it were data',
        succeeded: exported !== undefined && (await decrypts(exported)),
        explanation,
      },
      {
        attempt: 'copy the wrapping key without its unwrap template',
        succeeded: exported !== undefined && (await this.#copyUnbound(exported.unwrapping)),
        explanation,
      },
    ];
  }

  /** A stand-in for the wrapping key: not TRUSTED, since that takes the security officer, in all else the same. */
  async #export(): Promise<WrappedKey | undefined> {
    const bench = this.#bench;
    const unwrapping = (await this.#make(without(wrappingKey(NAMES, false), new Set(['TRUSTED'])))).handle;
    const sample = (await bench.generate({ DERIVE: true, EXTRACTABLE: true })).handle;
    const kwp = await measureKwp(bench);
    const mechanism: Mechanism = { name: kwp ?? 'AES_KEY_WRAP' };
    try {
      return { mechanism, unwrapping, wrapped: await bench.cryptoki.wrapKey(mechanism, unwrapping, sample, bench.calls.fast) };
    } catch {
      return undefined;
    }
  }

  #copyUnbound(wrapping: ObjectHandle): Promise<boolean> {
    return succeeds(async () => {
      const { attributes } = await this.#bench.copy(wrapping, { UNWRAP_TEMPLATE: { SENSITIVE: false } }, ['UNWRAP_TEMPLATE']);
      return attributes.UNWRAP_TEMPLATE?.SENSITIVE !== true;
    });
  }

  /** A session object with the template of a real one, without what the token does not know. */
  async #make(template: Template): Promise<CreatedObject> {
    const { cryptoki, calls } = this.#bench;
    const asked: Template = { ...template, TOKEN: false };
    const plain = without(asked, new Set([...OPTIONAL_ATTRIBUTES, 'UNWRAP_TEMPLATE']));
    const generate = (chosen: Template): Promise<CreatedObject> =>
      cryptoki.generateKey({ name: 'AES_KEY_GEN' }, chosen, [], calls.anchorSlow);
    return this.#bench.keep(await generate(asked).catch(() => generate(plain)));
  }
}
