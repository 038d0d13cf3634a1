/**
 * Uses of keys other than SYMMETRIC_DEFAULT in the token, one attempt each. A key is opened at its first use, proven, and kept open, the
 * least recently used one closed when there are too many.
 */
import type { Log } from '../../log.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type { BoundKey, SigningRequest } from '../keystore.ts';
import { OpenedMaterials } from '../symmetric/opened-materials.ts';
import { Retirement } from '../symmetric/retirement.ts';
import { RunningCalls } from '../symmetric/running-calls.ts';
import { agreeIn, decryptIn, macIn, signIn } from './key-calls.ts';
import type { OpenKey } from './key-calls.ts';
import type { MaterialPlaces } from './material-places.ts';
import type { ServedKeys } from './served-keys.ts';

export class TokenKeys {
  readonly #token: Token;
  readonly #served: ServedKeys;
  readonly #retirement: Retirement<TokenObject>;
  readonly #opened: OpenedMaterials<TokenObject, BoundKey>;
  readonly #calls = new RunningCalls();

  constructor(token: Token, places: MaterialPlaces, served: ServedKeys, bounds: { readonly keysMax: number; readonly log: Log }) {
    this.#token = token;
    this.#served = served;
    this.#retirement = new Retirement(bounds.log);
    const vault = {
      isCurrent: (key: TokenObject) => token.isCurrent(key),
      openMaterial: (bound: BoundKey) => places.open(bound, served.kindOf(bound.key.keySpec, bound.key.keyUsage)),
    };
    this.#opened = new OpenedMaterials(vault, bounds.keysMax, this.#retirement, () => {});
  }

  /** All attempts of one call on a material: `forget` waits until they are over. */
  during<T>(materialId: string, attempts: () => Promise<T>): Promise<T> {
    return this.#calls.during(materialId, attempts);
  }

  async sign(bound: BoundKey, request: SigningRequest): Promise<Uint8Array> {
    const service = this.#served.serviceOf(bound.key, request.algorithm);
    return this.#use(bound, (key) => signIn(key, service, request));
  }

  async mac(bound: BoundKey, algorithm: string, message: Uint8Array): Promise<Uint8Array> {
    const service = this.#served.serviceOf(bound.key, algorithm);
    return this.#use(bound, (key) => macIn(key, service, message));
  }

  async decryptWithPrivateKey(bound: BoundKey, algorithm: string, ciphertext: Uint8Array): Promise<Uint8Array> {
    const service = this.#served.serviceOf(bound.key, algorithm);
    return this.#use(bound, (key) => decryptIn(key, service, algorithm, ciphertext));
  }

  async agree(bound: BoundKey, peerPublicKey: Uint8Array): Promise<Uint8Array> {
    this.#served.serviceOf(bound.key, 'ECDH');
    return this.#use(bound, (key) => agreeIn(key, peerPublicKey));
  }

  /** Closes the material once the calls that use it are over; resolves when the token confirmed it. */
  async forget(materialId: string): Promise<void> {
    await this.#calls.ended(materialId);
    await this.#opened.settled(materialId);
    this.#opened.close(materialId);
    await this.#retirement.finish(materialId);
  }

  /** Drops references that no longer work, without waiting. */
  abandon(materialId?: string): void {
    if (materialId !== undefined) return this.#opened.close(materialId);
    this.#opened.closeAll();
    void this.#retirement.finishAll();
  }

  /** Destroys all session keys as far as the token still can; waits for running calls, never rejects. */
  async close(): Promise<void> {
    this.#opened.closeAll();
    await this.#retirement.finishAll();
  }

  #use<T>(bound: BoundKey, work: (key: OpenKey) => Promise<T>): Promise<T> {
    return this.#opened.use(bound, (_opened, object) => work({ token: this.#token, object, keySpec: bound.key.keySpec }));
  }
}
