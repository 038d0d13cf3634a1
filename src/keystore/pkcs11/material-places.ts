/** The places where materials of a token live, by the residency in their records. */
import type { MaterialRecord } from '../../keys/key-record.ts';
import type { Token, TokenObject } from '../../token/token.ts';
import type { BoundMaterial } from '../keystore.ts';
import { KeyStoreError } from '../keystore.ts';
import { SharedKey } from '../symmetric/shared-key.ts';
import { destroySessionObject } from './derivation.ts';
import { onOwnData } from './key-store-error.ts';
import type { MaterialKind } from './material-kind.ts';
import { ResidentMaterials } from './resident-materials.ts';
import { WrappedMaterials } from './wrapped-materials.ts';

export class MaterialPlaces {
  readonly resident: ResidentMaterials;
  readonly wrapped: WrappedMaterials;
  readonly #token: Token;

  constructor(token: Token) {
    this.#token = token;
    this.resident = new ResidentMaterials(token);
    this.wrapped = new WrappedMaterials(token);
  }

  /** Finds or unwraps the material and proves it. Retiring the reference destroys what was unwrapped. */
  open(bound: BoundMaterial<MaterialRecord>, kind: MaterialKind): Promise<SharedKey<TokenObject>> {
    return onOwnData(this.#open(bound, kind));
  }

  /** A session object that is destroyed when its reference is retired. */
  sessionKey(object: TokenObject): SharedKey<TokenObject> {
    return new SharedKey(object, (retired) => destroySessionObject(this.#token, retired));
  }

  /** Forgets handles of an earlier life of the token. */
  relist(): void {
    this.resident.relist();
    this.wrapped.relist();
  }

  async #open(bound: BoundMaterial<MaterialRecord>, kind: MaterialKind): Promise<SharedKey<TokenObject>> {
    const { residency } = bound.material;
    if (residency === 'token') return new SharedKey(await this.resident.open(bound, kind), async () => {});
    if (residency === 'wrapped') return this.sessionKey(await this.wrapped.open(bound, kind));
    throw new KeyStoreError('internal', 'A software key was given to a token');
  }
}
